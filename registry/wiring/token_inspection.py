"""Assembly of what explains a token: introspection as the service has it, and the rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from registry.domain.access import Caller
from registry.domain.errors import PermissionMissing, UpstreamInvalid
from registry.domain.identifiers import Ebox, EboxKind
from registry.federation.introspection import Introspection
from registry.federation.partition_api import PartitionApi
from registry.federation.token_claims import TokenOutcome, judge_claims
from registry.federation.unconfigured import NoPartitionApi
from registry.services.token_explanation import TokenExplanation
from registry.settings import Settings
from registry.wiring.clock import now
from registry.wiring.federation import make_introspection, make_partition_api


@dataclass(frozen=True)
class TokenInspection:
    """Asks the federation about a token, and remembers nothing of it."""

    introspection: Introspection
    partition_api: PartitionApi | NoPartitionApi
    explanation: TokenExplanation

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """Give what explains tokens, for the block; raises `KeyUnusable` and `SettingsError`."""
        introspection = make_introspection(settings, lambda _how, _seconds: None)
        partition_api = make_partition_api(settings)
        try:
            yield cls(introspection, partition_api, TokenExplanation(settings.scope_tables))
        finally:
            partition_api.close()
            introspection.close()

    def read_claims(self, token: str) -> dict[str, Any]:
        """Ask the authorization server for the claims of a token.

        Raises `TokenInvalid` for a text that can be none, `Unavailable` and `UpstreamInvalid`.
        """
        return self.introspection.read_claims(token)

    def judge(self, claims: dict[str, Any]) -> TokenOutcome:
        """Make the caller of the claims, or give the error that refuses the token."""
        nobody = sha256().hexdigest()  # the token's own hash would name it to whoever has the trail
        try:
            return judge_claims(claims, nobody, self.introspection.requirements, now())
        except UpstreamInvalid:
            return UpstreamInvalid

    def find_partitions(self, caller: Caller) -> frozenset[str] | None:
        """Find the partitions that the caller's person may read; None where none limit him.

        Raises `Unavailable` and `UpstreamInvalid` when the Partition API cannot say.
        """
        enterprise = caller.enterprise
        if enterprise is None:
            return None
        ebox = Ebox(EboxKind.ENTERPRISE, enterprise.digits)
        try:
            person = self.explanation.tables[EboxKind.ENTERPRISE].limit(caller, ebox)
        except PermissionMissing:
            return None
        return None if person is None else self.partition_api.rights(enterprise, person)
