"""Settings: read once from the environment and from secret files, then frozen."""

import hashlib
from collections.abc import Mapping
from typing import Final, Self

from pydantic import ConfigDict

from registry.domain.access import Operation, ScopeTable
from registry.domain.errors import SettingsError
from registry.domain.identifiers import EboxKind
from registry.settings.authorization import AuthorizationSettings
from registry.settings.database import DatabaseSettings
from registry.settings.examination import examine_settings
from registry.settings.federation import FederationSettings
from registry.settings.publication import PublicationSettings
from registry.settings.service import ServiceSettings
from registry.settings.storage import StorageSettings
from registry.settings.trail import TrailSettings

# Senders and the federation have one kind of token, whomever they address.
_EITHER_FAMILY: Final = frozenset(
    {
        Operation.PUBLISH,
        Operation.PUBLISH_FOR_ANOTHER,
        Operation.NOTIFY,
        Operation.RESET_DATA_SET,
    }
)


class Settings(
    TrailSettings,
    FederationSettings,
    AuthorizationSettings,
    StorageSettings,
    DatabaseSettings,
    PublicationSettings,
    ServiceSettings,
):
    """All that an operator decides; `REGISTRY_` and the field's name make the variable's name.

    Its parts are listed the other way round: fields of a later one come first.

    Times are in seconds unless the name says days. A variable `REGISTRY_X_FILE` names a file
    whose content is the value of `REGISTRY_X`, for secrets. The name of a file may be relative to
    `CREDENTIALS_DIRECTORY`, which systemd sets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
    def has_doc_page(self) -> bool:
        """Tell if the page at /doc/ is served, with which people call the interface by hand."""
        return self.environment != "production" if self.doc_page is None else self.doc_page

    @property
    def checks_digits(self) -> bool:
        """Tell if check digits of numbers in publications are looked at (contract 6.31)."""
        if self.check_digits is not None:
            return self.check_digits
        return self.environment in ("acceptation", "simulation", "production")
