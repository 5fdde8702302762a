"""Readiness: checks that the service can do its work, one for each neighbour."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from registry.audit.details import NOTHING
from registry.audit.log import AuditLog
from registry.audit.store.seal_bucket import SealStore
from registry.blobs import BlobStore
from registry.domain.errors import RegistryError, Unavailable
from registry.store.rehearsal import rehearse
from registry.store.transactions import Transactions

DATABASE: Final = "database"
DOCUMENTS: Final = "documents"
INTROSPECTION: Final = "introspection"


class TokenCheck(Protocol):
    """Whoever says who is behind a token."""

    def check(self) -> None:
        """Raise `Unavailable` unless a token can be looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """`look` raises a `RegistryError` that says to operators what is wrong with a neighbour.

    While the neighbour does not answer, most calls are served for `grace` seconds more: without
    end those that need no document, and those of callers who are remembered. `StoreUnfit` does not
    pass by waiting, and has no grace.
    """

    name: str
    look: Callable[[], None]
    grace: float = 0.0


@dataclass(frozen=True)
class Readiness:
    """Checks all that calls need: database, documents, and who is behind a token."""

    checks: tuple[Check, ...]

    @classmethod
    def assemble(
        cls,
        transactions: Transactions,
        audit_log: AuditLog,
        blobs: BlobStore,
        introspection: TokenCheck,
        memory: float,
    ) -> "Readiness":
        """Make the checks of the service; callers are remembered for `memory` seconds."""
        database = DatabaseCheck(transactions, audit_log)
        return cls(
            (
                Check(DATABASE, database.check),
                Check(DOCUMENTS, blobs.check, math.inf),
                Check(INTROSPECTION, introspection.check, memory),
            )
        )

    def check(self, *names: str) -> None:
        """Raise `Unavailable` that says all that is wrong, of these checks or of all."""
        faults = []
        for check in self.checks:
            if not names or check.name in names:
                try:
                    check.look()
                except RegistryError as error:
                    faults.append(error.detail)
        if faults:
            raise Unavailable("\n".join(faults))


@dataclass(frozen=True)
class DatabaseCheck:
    """Checks that the database is the one this code needs, and takes entries of the trail."""

    transactions: Transactions
    audit_log: AuditLog

    def check(self) -> None:
        """Raise `Unavailable` unless the role is safe, the shape right, and an entry can be added.

        The entry is taken back: without a trail no call is answered.
        """
        rehearse(
            self.transactions,
            lambda connection: self.audit_log.note(connection, "health", NOTHING),
        )


@dataclass(frozen=True)
class WorkerReadiness:
    """Checks the stores of the worker, and its database role, which must see every e-Box."""

    transactions: Transactions
    blobs: BlobStore
    seals: SealStore

    def check(self) -> None:
        """Raise `Unavailable` unless all stores answer, and the database role is the worker's."""
        self.transactions.check_role()
        self.blobs.check()
        self.seals.check()
