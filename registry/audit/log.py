"""The log of the audit trail: every operation is recorded where it happens (contract 4.20)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from registry.audit.details import Details
from registry.audit.store import entries
from registry.audit.trail.entry import Entry
from registry.domain.belgian_time import BELGIUM
from registry.domain.calls import Call
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.pseudonyms import Pseudonyms

_OURSELVES: Final = "registry"  # the client of operations that no call asked for
_NO_METHOD: Final = "DO"  # no HTTP


@dataclass(frozen=True)
class AuditLog:
    """Adds an entry in the transaction of the operation itself: no entry, no answer.

    The e-Box and the person are named by keyed hashes alone. A call has the id of its trace among
    the details, by which the logs of all who had to do with it are found. `operator` is who typed a
    command.
    """

    pseudonyms: Pseudonyms
    now: Callable[[], datetime]
    operator: str | None = None

    def record(
        self, connection: Connection, call: Call, ebox: Ebox | None, details: Details
    ) -> None:
        """Record a call that is about to be answered."""
        caller = call.caller
        person = caller.person
        entry = Entry(
            timestamp=write_timestamp(self.now()),
            token_hash=caller.token_hash,
            client_id=caller.client_id,
            method=call.method,
            url=call.url,
            status=call.status,
            details=details if call.trace_id is None else {**details, "trace": call.trace_id},
            ebox=None if ebox is None else self.pseudonyms.hash_ebox(ebox),
            person=None if person is None else self._hash_person(person.digits),
        )
        entries.add_entry(connection, entry)

    def note(
        self, connection: Connection, operation: str, details: Details, *, ebox: Ebox | None = None
    ) -> None:
        """Note an operation of the worker or an operator, past the API: `purge`, `hold/set`.

        Its name stands where a call has its URL; there is no token, and the client is the registry.
        """
        entries.add_entry(connection, self._make_entry(operation, details, ebox))

    def note_all(
        self, connection: Connection, operation: str, items: Iterable[tuple[Ebox, Details]]
    ) -> None:
        """Note one operation on many items, an entry for each, in one statement."""
        batch = [self._make_entry(operation, details, ebox) for ebox, details in items]
        entries.add_entries(connection, batch)

    def _make_entry(self, operation: str, details: Details, ebox: Ebox | None) -> Entry:
        return Entry(
            timestamp=write_timestamp(self.now()),
            token_hash=None,
            client_id=_OURSELVES,
            method=_NO_METHOD,
            url=f"urn:registry:{operation}",
            status=200,
            details=details if self.operator is None else {**details, "operator": self.operator},
            ebox=None if ebox is None else self.pseudonyms.hash_ebox(ebox),
        )

    def _hash_person(self, digits: str) -> str:
        # As the citizen's e-Box, so that one hash finds both what he did and what was done there.
        return self.pseudonyms.hash_ebox(Ebox(EboxKind.CITIZEN, digits))


def write_timestamp(instant: datetime) -> str:
    """Write ISO 8601 with six decimals in Belgian time, the offset in numbers (contract 4.20: CET).

    Raises `ValueError` for a time without its zone.
    """
    if instant.tzinfo is None:
        raise ValueError("A time without its zone is not when something happened.")
    return instant.astimezone(BELGIUM).isoformat(timespec="microseconds")
