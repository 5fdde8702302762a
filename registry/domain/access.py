"""Callers, and the operations that their tokens open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from registry.domain.errors import PermissionMissing, ScopeMissing
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Ssin


class Operation(StrEnum):
    """Groups of operations that a scope opens (contract 6.15)."""

    READ_MESSAGES = "messages.read"
    UPDATE_MESSAGES = "messages.update"
    READ_STATISTICS = "statistics.read"
    READ_SUMMARY = "summary.read"  # of version 2.1
    READ_REFERENCE = "reference.read"
    REPLY = "replies.create"
    PUBLISH = "messages.publish"
    PUBLISH_FOR_ANOTHER = "messages.publishForAnother"
    CONSULT_FOR_ANOTHER = "messages.consultForAnother"
    NOTIFY = "events.notify"
    RESET_DATA_SET = "certification.reset"
    WHOLE_EBOX = "ebox.whole"  # lifts the limit to the partitions a person may read


@dataclass(frozen=True, slots=True)
class Caller:
    """The party behind a bearer token, as the authorization server vouches for it.

    `person` is the SSIN that the token's `sub` is, or else the configured claim (contract 6.36,
    6.37). `token_hash` is the SHA-256 of the token, in hex.
    """

    client_id: str
    scopes: frozenset[str]
    token_hash: str
    enterprise: EnterpriseNumber | None = None
    person: Ssin | None = None
    expires_at: datetime | None = None

    def ebox(self, kind: EboxKind) -> Ebox:
        """The caller's own e-Box of this kind; raises `PermissionMissing` when there is none."""
        if kind is EboxKind.CITIZEN and self.enterprise is not None:
            # Whoever acts for an enterprise is not there as a citizen (contract 6.36).
            raise PermissionMissing("The access token of an enterprise opens no citizen's e-Box.")
        owner = self.enterprise if kind is EboxKind.ENTERPRISE else self.person
        if owner is None:
            raise PermissionMissing(f"The access token names no owner of a {kind} e-Box.")
        return Ebox(kind, owner.digits)


@dataclass(frozen=True, slots=True)
class ScopeTable:
    """Operations that each scope opens, and each client: the one table of contract 6.15."""

    opens: Mapping[str, frozenset[Operation]]
    opens_to_clients: Mapping[str, frozenset[Operation]] = field(default_factory=dict)

    def check(self, caller: Caller, *operations: Operation) -> None:
        """Raise `ScopeMissing`, naming every scope that would do, unless one is held."""
        if not self.allows(caller, *operations):
            raise self.make_refusal(*operations)

    def make_refusal(self, *operations: Operation) -> ScopeMissing:
        """Make the error for a caller without any of the scopes that would do; it names them."""
        group = frozenset(operations)
        return ScopeMissing(sorted(scope for scope, opened in self.opens.items() if opened & group))

    def allows(self, caller: Caller, *operations: Operation) -> bool:
        """Tell if one of the caller's scopes, or his client id, opens one of the operations."""
        group = frozenset(operations)
        if group & self.opens_to_clients.get(caller.client_id, frozenset()):
            return True
        return any(group & self.opens.get(scope, frozenset()) for scope in caller.scopes)

    def limit(self, caller: Caller, ebox: Ebox) -> Ssin | None:
        """Find the person whose rights on partitions limit the caller; None for no limit.

        Only software of the owner, and a representative with a mandate, see a whole e-Box of an
        enterprise. Everybody else acts for a person: raises `PermissionMissing` when the token
        names none (contract 6.36). Citizens have no partitions.
        """
        if ebox.kind is EboxKind.CITIZEN:
            return None
        is_own = caller.enterprise is not None and caller.enterprise.digits == ebox.number
        lifting = Operation.WHOLE_EBOX if is_own else Operation.CONSULT_FOR_ANOTHER
        if self.allows(caller, lifting):
            return None
        if caller.person is None or not is_own:
            raise PermissionMissing("The access token names no person whose rights would count.")
        return caller.person
