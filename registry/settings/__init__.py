"""Settings: read once from the environment and from secret files, then frozen."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from registry.domain.access import Operation, ScopeTable
from registry.domain.errors import SettingsError
from registry.domain.federation_words import EventKind, Member
from registry.domain.identifiers import EboxKind
from registry.domain.scopes import CITIZEN_SCOPES, OFFICIAL_SCOPES
from registry.settings.examination import examine_settings
from registry.settings.kinds import (
    Address,
    BasePath,
    Bucket,
    DatabaseUrl,
    PathTemplate,
    Seconds,
    StoreUrl,
    Url,
)

# Senders and the federation have one kind of token, whomever they address.
_EITHER_FAMILY: Final = frozenset(
    {
        Operation.PUBLISH,
        Operation.PUBLISH_FOR_ANOTHER,
        Operation.NOTIFY,
        Operation.RESET_DATA_SET,
    }
)


class Settings(BaseModel):
    """All that an operator decides; `REGISTRY_` and the field's name make the variable's name.

    Times are in seconds unless the name says days. A variable `REGISTRY_X_FILE` names a file
    whose content is the value of `REGISTRY_X`, for secrets. The name of a file may be relative to
    `CREDENTIALS_DIRECTORY`, which systemd sets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: Literal[
        "development", "test", "integration", "acceptation", "simulation", "production"
    ] = "production"
    public_url: Url
    enterprise_base_path: BasePath = "/REST/ebox/enterprise/messageRegistry"
    citizen_base_path: BasePath = "/REST/ebox/citizen/messageRegistry"
    contact: str | None = None  # whom to turn to, as errors of version 2.1 say it
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    soon_expiring_days: int = Field(default=15, ge=0)
    cors_origins: tuple[Url, ...] = ()
    # Requests a minute of a client for an enterprise or a person; 0: no limit. All processes count
    # together in a Valkey or Redis, or each its share.
    rate_limit: int = Field(default=1200, ge=0)
    rate_limit_url: StoreUrl | None = None
    costly_requests: int = Field(default=2, ge=0)  # searches and the like at a time; 0: no limit
    # Refused tokens a minute that an address may bring which no caller had before; 0: no limit.
    unknown_tokens: int = Field(default=60, ge=0)
    trusted_proxies: int = Field(default=1, ge=0)  # before us, each adding to X-Forwarded-For
    stop_timeout: int = Field(default=30, ge=1)  # seconds for requests under way, after SIGTERM
    refuse_unknown_parameters: bool = False  # of queries in version 3 (contract 6.32)

    # Clients of gunicorn: seconds that one has, and bytes a second that it must send or read beyond
    # them; requests with long bodies that a process takes at a time (unset: half of its threads and
    # one more), and seconds that the others wait for their turn.
    client_grace: Seconds = 10
    client_least_rate: int = Field(default=4 << 10, ge=1)
    client_long_bodies: int | None = Field(default=None, ge=1)
    client_queue: Seconds = 30

    # The proxy in front, which says so in each request, fetches large documents from S3 itself.
    accel: bool = False

    check_digits: bool | None = None  # of numbers in publications; unset: where mail is real
    single_language: bool = False  # refuse publications in more than one language (contract 6.30)
    publication_files: int = Field(default=20, ge=1)
    publication_files_v2: int = Field(default=6, ge=1)  # where version 2.1 is spoken
    publication_file_size: int = Field(default=1 << 30, ge=1)  # bytes, as the next two
    publication_request_size: int = Field(default=2 << 30, ge=1)
    publication_message_size: int = Field(default=1 << 20, ge=1)
    publication_subject_length: int = Field(default=400, ge=1)  # characters, as the next two
    publication_value_length: int = Field(default=256, ge=1)
    publication_label_length: int = Field(default=100, ge=1)
    publication_business_data: int = Field(default=100, ge=1)  # facts of a message
    publication_business_data_size: int = Field(default=64 << 10, ge=1)  # bytes, all together
    clamd_address: Address | None = None  # host:port of a clamd that looks at every file
    clamd_timeout: Annotated[float, Field(gt=0, le=600)] = 60  # that a scan may lose on it in all
    clamd_slots: int | None = Field(default=None, ge=1)  # threads that wait; unset: half of them
    clamd_file_size: int = Field(default=100 << 20, ge=1)  # bytes: its MaxFileSize
    clamd_unscanned: Literal["refuse", "accept"] = "refuse"  # a file that it saw in part

    database_url: DatabaseUrl
    database_owner_url: DatabaseUrl | None = None
    database_application_role: str = "registry_application"
    database_worker_url: DatabaseUrl | None = None  # of the worker and of what operators type
    database_worker_role: str = "registry_worker"
    database_pool_size: int = Field(default=8, ge=1)
    # How long a request may wait for a connection of the pool, for connecting, for a statement and
    # for a lock; 0 is no limit for the last two.
    database_pool_timeout: Annotated[float, Field(gt=0, le=60)] = 3
    database_connect_timeout: int = Field(default=3, ge=2, le=30)
    database_statement_timeout: Seconds = 7
    database_lock_timeout: Seconds = 5
    # After so long without any sign of the server's machine, a connection is given up.
    database_silence: int = Field(default=5, ge=2, le=600)
    database_pooler: bool = False  # on behind a pooler in transaction mode, as pgbouncer

    s3_endpoint: Url | None = None
    s3_region: str = "eu-west-1"
    s3_bucket: Bucket
    s3_access_key: str | None = None
    s3_secret_key: SecretStr | None = None
    s3_addressing: Literal["path", "virtual", "auto"] = "path"
    s3_ca_bundle: Path | None = None  # PEM; unset: as the environment says
    s3_encryption: Literal["AES256", "aws:kms"] | None = None
    s3_encryption_key: str | None = None
    s3_object_lock: Literal["GOVERNANCE", "COMPLIANCE"] | None = None  # of every document
    s3_object_lock_days: int = Field(default=30, ge=1)
    s3_versioned: bool = False  # the bucket keeps versions, without any lock
    s3_checksums: Literal["when_required", "when_supported"] = "when_required"
    # Seconds for a call, and one more for so many bytes that it moves.
    s3_timeout: Annotated[float, Field(gt=0, le=600)] = 10
    s3_least_rate: int = Field(default=256 << 10, ge=1)
    s3_slots: int | None = Field(default=None, ge=1)  # threads that wait; unset: half of them
    # The worker reads each document in so many days (0: never), so many bytes a second at most.
    document_check_days: int = Field(default=30, ge=0)
    document_check_rate: int = Field(default=4 << 20, ge=1)

    oauth_token_url: Url
    oauth_introspect_url: Url
    oauth_client_id: str
    oauth_key_path: Path  # PEM, or PKCS#12 when it ends in .p12 or .pfx
    oauth_key_password: SecretStr | None = None
    oauth_key_id: str | None = None
    oauth_algorithm: Literal["RS256", "ES384", "ES512"] = "RS256"
    oauth_audience: str | None = None  # of the assertion; the token URL when unset
    oauth_assertion_lifetime: int = Field(default=60, ge=10, le=600)
    oauth_introspect_scope: str = "scope:security:authorization:oauth:oauth-autz-server:introspect"
    # PEM, for the authorization server and every service below that has none of its own.
    oauth_ca_bundle: Path | None = None
    oauth_timeout: Seconds = 3
    # Threads of a process that may wait for introspection; unset: one fewer than gunicorn has.
    introspection_seats: int | None = Field(default=None, ge=1)

    token_issuer: str | None = None
    token_audience: str | None = None
    # Dotted paths into the introspection answer; a text there, or a list whose first text counts.
    enterprise_claim: str = "principalAttributes.urn:be:fgov:kbo-bce:organization:cbe-number"
    person_claim: str = "principalAttributes.urn:be:fgov:person:ssin"
    token_cache_reads: Seconds = 30
    token_cache_writes: Seconds = 0
    token_cache_refusals: Seconds = 5
    token_cache_doubts: Seconds = 2  # about a token, after no answer or one that cannot be right
    token_cache_size: int = Field(default=10_000, ge=1)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_pause: Seconds = 1
    scopes: Mapping[str, frozenset[Operation]] = OFFICIAL_SCOPES
    citizen_scopes: Mapping[str, frozenset[Operation]] = CITIZEN_SCOPES  # below the citizens' path
    # A representative reads the e-Box of his mandator by this scope; unset: nobody may (6.16).
    representative_scope: str | None = None
    mandate_consultation: str = "consult"  # what hasMandate calls it
    # The federation tells us events by this scope, or as one of these clients; both unset: nobody
    # does (contract 6.15).
    webhook_scope: str | None = None
    webhook_clients: tuple[str, ...] = ()
    # Resets the certification data set; unset, or in production: nobody does (contract 6.29).
    certification_scope: str | None = None
    # Types of CloudEvents for each kind of change, in place of ours; with a dot at the end, of all
    # that begin so. An event of any other type has rights and rules asked for again (6.19).
    webhook_types: Mapping[EventKind, tuple[str, ...]] = Field(default_factory=dict)

    partition_url: Url | None = None
    partition_rights_path: PathTemplate = "/ebox/{enterpriseNumber}/users/{ssin}/partitions"
    partition_list_path: PathTemplate = "/ebox/{enterpriseNumber}/partitions"
    partition_rights_ttl: Seconds = 300  # then they are asked for again
    partition_rights_grace: Seconds = 86_400  # how old they may be while nobody answers
    partition_timeout: Seconds = 3
    partition_ca_bundle: Path | None = None
    partition_mandate_swapped: bool = False  # the direction of hasMandate (contract 6.16)
    # Names of members in the Partition API and the webhook, in place of ours (contract 6.19). Those
    # of `routingRuleId` are all that a rule may have without being a criterion.
    partition_members: Mapping[Member, tuple[str, ...]] = Field(default_factory=dict)

    # PEM with certificate and key, for mutual TLS with the services below and the Partition API.
    federation_certificate: Path | None = None
    federation_url: Url | None = None  # preferences: who never opened his e-Box
    federation_scope: str = "scope:documentmanagement:ebox:enterprise:federation-rest:preference"
    federation_consents: bool = False  # ask for citizens' consents too (contract 6.21)
    federation_timeout: Seconds = 3
    federation_ca_bundle: Path | None = None

    events_url: Url | None = None  # of the e-Box Event Service; unset: events wait
    events_bearer: bool = True  # off: mutual TLS alone (contract 6.20)
    events_scope: str | None = None  # of our token there; unset: all that is granted
    events_timeout: Annotated[float, Field(gt=0, le=7)] = 5  # less than a worker has to stop
    events_ca_bundle: Path | None = None
    events_batch: int = Field(default=500, ge=1, le=1000)
    events_subject: bool = False  # whether the federation is told subjects too
    reminder_days: int = Field(default=15, ge=1)  # after publication, when unread
    alert_days: int = Field(default=7, ge=1)  # before expiry, when unread
    hash_key: SecretStr | None = None  # of the hashes that name e-Boxes in proofs of deletion

    audit_bucket: Bucket | None = None  # of the seals over the audit trail; with Object Lock
    audit_key_path: Path | None = None  # PEM with the Ed25519 key that signs them
    audit_public_keys: Path | None = None  # PEM with the public keys of those that did before
    audit_former_hash_keys: Path | None = None  # a line for each that REGISTRY_HASH_KEY was before
    audit_seal_every: Annotated[float, Field(ge=0, le=3600)] = 60  # or after 5,000 entries
    # Where seals are, if it is not where documents are: another endpoint, another account.
    audit_s3_endpoint: Url | None = None
    audit_s3_region: str | None = None
    audit_s3_access_key: str | None = None
    audit_s3_secret_key: SecretStr | None = None
    audit_s3_addressing: Literal["path", "virtual", "auto"] | None = None
    audit_s3_ca_bundle: Path | None = None  # PEM; unset: as for documents

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; raises `SettingsError` with everything that is wrong at once.

        Those of another environment are wrong too, as `environment_checks` finds them.
        """
        examination = examine_settings(cls, environ)
        if examination.faults:
            raise SettingsError([str(fault) for fault in examination.faults])
        return examination.settings

    @property
    def scope_tables(self) -> Mapping[EboxKind, ScopeTable]:
        """The operations that each scope opens, below the base path of each family (contract 6.36).

        A scope of the enterprise family reads no citizen's e-Box; senders and the federation are
        the same parties in both.
        """
        single = {
            self.webhook_scope: Operation.NOTIFY,
            self.representative_scope: Operation.CONSULT_FOR_ANOTHER,
            self.certification_scope: Operation.RESET_DATA_SET,
        }
        clients = dict.fromkeys(self.webhook_clients, frozenset({Operation.NOTIFY}))
        enterprise = dict(self.scopes)
        for scope, operation in single.items():
            if scope:
                enterprise[scope] = enterprise.get(scope, frozenset()) | {operation}
        citizen = {scope: group & _EITHER_FAMILY for scope, group in enterprise.items()}
        for scope, group in self.citizen_scopes.items():
            citizen[scope] = citizen.get(scope, frozenset()) | group
        tables = {EboxKind.ENTERPRISE: enterprise, EboxKind.CITIZEN: citizen}
        return {kind: ScopeTable(table, clients) for kind, table in tables.items()}

    @property
    def instance(self) -> str:
        """Tell this registry from others, in 16 digits that all its processes agree on.

        It is open to everybody, and made of nothing that is secret.
        """
        facts = (self.environment, self.public_url, self.oauth_client_id, self.s3_bucket)
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]

    @property
    def base_paths(self) -> Mapping[EboxKind, str]:
        """Base path of each family, before the name of a version (contract 6.22)."""
        return {
            EboxKind.ENTERPRISE: self.enterprise_base_path,
            EboxKind.CITIZEN: self.citizen_base_path,
        }

    @property
    def resets_data_set(self) -> bool:
        """Tell if the certification data set can be reset here (contract 6.29)."""
        return self.environment != "production" and self.certification_scope is not None

    @property
    def checks_digits(self) -> bool:
        """Tell if check digits of numbers in publications are looked at (contract 6.31)."""
        if self.check_digits is not None:
            return self.check_digits
        return self.environment in ("acceptation", "simulation", "production")
