"""The authorization server: our client there, and what its tokens open."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from registry.domain.access import Operation
from registry.domain.scopes import CITIZEN_SCOPES, OFFICIAL_SCOPES
from registry.settings.kinds import Seconds, Url
from registry.settings.section import SettingsSection


class AuthorizationSettings(SettingsSection):
    """The authorization server: our client there, and what its tokens open."""

    oauth_token_url: Url = Field(description="Where the authorization server gives us tokens.")
    oauth_introspect_url: Url = Field(description="Where it says who is behind a token.")
    oauth_client_id: str = Field(description="Our client there.")
    oauth_key_path: Path = Field(
        description="Its private key: PEM, or PKCS#12 when the name ends in .p12 or .pfx."
    )
    oauth_key_password: SecretStr | None = Field(
        default=None, description="The password of that file, if it has one."
    )
    oauth_key_id: str | None = Field(default=None, description="The kid that our assertions bear.")
    oauth_algorithm: Literal["RS256", "ES384", "ES512"] = Field(
        default="RS256", description="How they are signed."
    )
    oauth_audience: str | None = Field(
        default=None, description="Their audience; unset: the token URL."
    )
    oauth_assertion_lifetime: int = Field(
        default=60, ge=10, le=600, description="Seconds for which they hold."
    )
    oauth_introspect_scope: str = Field(
        default="scope:security:authorization:oauth:oauth-autz-server:introspect",
        description="The scope of our token for introspection.",
    )
    oauth_ca_bundle: Path | None = Field(
        default=None,
        description="PEM with the authorities to trust there, and where no other is named.",
    )
    oauth_timeout: Seconds = Field(default=3, description="Seconds for a call.")
    introspection_seats: int | None = Field(
        default=None,
        ge=1,
        description="Threads of a process that may wait for introspection; unset: all but one.",
    )
    token_issuer: str | None = Field(
        default=None, description="The issuer that tokens must have; unset: any."
    )
    token_audience: str | None = Field(
        default=None, description="The audience that they must have; unset: any."
    )
    enterprise_claim: str = Field(
        default="principalAttributes.urn:be:fgov:kbo-bce:organization:cbe-number",
        description="Dotted path to the enterprise's number in what introspection answers.",
    )
    person_claim: str = Field(
        default="principalAttributes.urn:be:fgov:person:ssin",
        description="Dotted path to the person's number there.",
    )
    token_cache_reads: Seconds = Field(
        default=30, description="Seconds for which an answer about a token holds for reading."
    )
    token_cache_writes: Seconds = Field(default=0, description="The same for writing.")
    token_cache_refusals: Seconds = Field(
        default=5, description="The same for a token that was refused."
    )
    token_cache_doubts: Seconds = Field(
        default=2, description="The same after no answer, or one that cannot be right."
    )
    token_cache_size: int = Field(
        default=10_000, ge=1, description="Tokens that a process remembers."
    )
    breaker_failures: int = Field(
        default=5, ge=1, description="Failures in a row after which a neighbour is left alone."
    )
    breaker_pause: Seconds = Field(default=1, description="Seconds until one call may try again.")
    scopes: Mapping[str, frozenset[Operation]] = Field(
        default=OFFICIAL_SCOPES,
        description="JSON: the operations that each scope opens, in place of the official ones.",
    )
    citizen_scopes: Mapping[str, frozenset[Operation]] = Field(
        default=CITIZEN_SCOPES, description="The same below the citizens' path."
    )
    representative_scope: str | None = Field(
        default=None,
        description="The scope by which a mandator's e-Box is read; unset: nobody does.",
    )  # contract 6.16
    mandate_consultation: str = Field(default="consult", description="What hasMandate calls that.")
    webhook_scope: str | None = Field(
        default=None,
        description="The scope by which the federation tells us events; unset: nobody does.",
    )  # contract 6.15
    webhook_clients: tuple[str, ...] = Field(
        default=(), description="Clients that may do so too, with commas between them."
    )
    certification_scope: str | None = Field(
        default=None,
        description="By this scope the certification data set is reset, but never in production.",
    )  # contract 6.29
