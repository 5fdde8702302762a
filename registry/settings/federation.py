"""The federation's services, and what they tell us."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from registry.domain.federation_words import EventKind, Member
from registry.settings.kinds import PathTemplate, Seconds, Url
from registry.settings.section import SettingsSection


class FederationSettings(SettingsSection):
    """The federation's services, and what they tell us."""

    # With a dot at the end, of all that begin so. An event of any other type has rights and rules
    # asked for again (contract 6.19).
    webhook_types: Mapping[EventKind, tuple[str, ...]] = Field(
        default_factory=dict,
        description="JSON: types of CloudEvents for each kind of change, in place of ours.",
    )
    partition_url: Url | None = Field(
        default=None,
        description="The Partition API; unset: nobody is asked for rights and routing rules.",
    )
    partition_rights_path: PathTemplate = Field(
        default="/ebox/{enterpriseNumber}/users/{ssin}/partitions",
        description="Its path to a person's rights.",
    )
    partition_list_path: PathTemplate = Field(
        default="/ebox/{enterpriseNumber}/partitions",
        description="Its path to an enterprise's partitions.",
    )
    partition_rights_ttl: Seconds = Field(
        default=300, description="Seconds after which rights are asked for again."
    )
    partition_rights_grace: Seconds = Field(
        default=86_400, description="Seconds for which old ones hold while nobody answers."
    )
    partition_timeout: Seconds = Field(default=3, description="Seconds for a call.")
    partition_ca_bundle: Path | None = Field(
        default=None, description="PEM with the authorities to trust there; unset: oauth_ca_bundle."
    )
    partition_mandate_swapped: bool = Field(
        default=False, description="Swap mandator and mandatary in hasMandate."
    )  # contract 6.16
    # Those of `routingRuleId` are all that a rule may have and that are no criterion
    # (contract 6.19).
    partition_members: Mapping[Member, tuple[str, ...]] = Field(
        default_factory=dict,
        description="JSON: names of members there and in the webhook, in place of ours.",
    )
    federation_certificate: Path | None = Field(
        default=None,
        description="PEM with certificate and key, for mutual TLS with the federation's services.",
    )
    federation_url: Url | None = Field(
        default=None,
        description="Federation WS, for preferences: who never opened his e-Box; unset: not asked.",
    )
    federation_scope: str = Field(
        default="scope:documentmanagement:ebox:enterprise:federation-rest:preference",
        description="The scope of our token there.",
    )
    federation_consents: bool = Field(
        default=False, description="Ask for citizens' consents too."
    )  # contract 6.21
    federation_timeout: Seconds = Field(default=3, description="Seconds for a call.")
    federation_ca_bundle: Path | None = Field(
        default=None, description="PEM with the authorities to trust there; unset: oauth_ca_bundle."
    )
    events_url: Url | None = Field(
        default=None, description="The e-Box Event Service; unset: events wait."
    )
    events_bearer: bool = Field(
        default=True, description="Off: mutual TLS alone, without a token."
    )  # contract 6.20
    events_scope: str | None = Field(
        default=None, description="The scope of our token there; unset: all that is granted."
    )
    events_timeout: Annotated[float, Field(gt=0, le=7)] = Field(
        default=5, description="Seconds for a call, fewer than a worker has to stop."
    )
    events_ca_bundle: Path | None = Field(
        default=None, description="PEM with the authorities to trust there; unset: oauth_ca_bundle."
    )
    events_batch: int = Field(default=500, ge=1, le=1000, description="Events in a call.")
    events_kept_days: int = Field(
        default=14, ge=1, description="Days after which an event that was told is forgotten."
    )
    events_subject: bool = Field(default=False, description="Tell the federation subjects too.")
    reminder_days: int = Field(
        default=15,
        ge=1,
        description="Days after publication when an unread message is reminded of.",
    )
    alert_days: int = Field(
        default=7, ge=1, description="Days before its end when an unread message is alerted of."
    )
