"""Callers, and the operations that their tokens open."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    NOTIFY = "events.notify"
    WHOLE_EBOX = "ebox.whole"  # lifts the limit to the partitions a person may read


@dataclass(frozen=True, slots=True)
class Caller:
    """The party behind a bearer token, as the authorization server vouches for it.

    `person` is the SSIN under the configured claim (contract 6.37); `is_human` says that the
    token's `sub` is one (contract 6.36). `token_hash` is the SHA-256 of the token, in hex.
    """

    client_id: str
    scopes: frozenset[str]
    token_hash: str
    enterprise: EnterpriseNumber | None = None
    person: Ssin | None = None
    is_human: bool = False
    expires_at: datetime | None = None

    @property
    def user(self) -> Ssin | None:
        """The person who calls, when it is a person and not an application."""
        return self.person if self.is_human else None

    def ebox(self, kind: EboxKind) -> Ebox:
        """The caller's own e-Box of this kind; raises `PermissionMissing` when there is none."""
        owner = self.enterprise if kind is EboxKind.ENTERPRISE else self.person
        if owner is None:
            raise PermissionMissing(f"The access token names no owner of a {kind} e-Box.")
        return Ebox(kind, owner.digits)


@dataclass(frozen=True, slots=True)
class ScopeTable:
    """Operations that each scope opens: the one table of contract 6.15."""

    opens: Mapping[str, frozenset[Operation]]

    def check(self, caller: Caller, *operations: Operation) -> None:
        """Raise `ScopeMissing`, naming every scope that would do, unless one is held."""
        if not self.allows(caller, *operations):
            opening = (
                scope for scope, group in self.opens.items() if group & frozenset(operations)
            )
            raise ScopeMissing(sorted(opening))

    def allows(self, caller: Caller, *operations: Operation) -> bool:
        """Tell if one of the caller's scopes opens one of the operations."""
        wanted = frozenset(operations)
        return any(wanted & self.opens.get(scope, frozenset()) for scope in caller.scopes)

    def sees_whole(self, caller: Caller, ebox: Ebox) -> bool:
        """Tell if no partition limits this caller: applications, citizens (contract 6.36)."""
        return (
            ebox.kind is EboxKind.CITIZEN
            or caller.user is None
            or self.allows(caller, Operation.WHOLE_EBOX)
        )
