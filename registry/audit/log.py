"""The audit trail's pen: what happened is written down where it happens (contract 4.20)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from registry.audit.details import Details
from registry.audit.store import entries
from registry.audit.trail.entry import Entry
from registry.domain.calls import Call
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.pseudonyms import Pseudonyms


@dataclass(frozen=True)
class AuditLog:
    """Adds an entry in the transaction of what it tells of: no entry, no answer.

    The e-Box and the person are named by keyed hashes alone.
    """

    pseudonyms: Pseudonyms
    now: Callable[[], datetime]

    def record(
        self, connection: Connection, call: Call, ebox: Ebox | None, details: Details
    ) -> None:
        """A call that is about to be answered."""
        caller = call.caller
        person = caller.user
        entry = Entry(
            at=self.now(),
            token_hash=caller.token_hash,
            client_id=caller.client_id,
            method=call.method,
            url=call.url,
            status=call.status,
            details=details,
            ebox=None if ebox is None else self.pseudonyms.of(ebox),
            person=None if person is None else self._person(person.digits),
        )
        entries.record(connection, entry)

    def note(
        self, connection: Connection, deed: str, details: Details, *, ebox: Ebox | None = None
    ) -> None:
        """What the worker or an operator did, past the API; `deed` names it: `purge`, `hold/set`.

        It stands where a call has its URL; there is no token, and the client is the registry.
        """
        entries.record(connection, self._deed(deed, details, ebox))

    def note_all(
        self, connection: Connection, deed: str, done: Iterable[tuple[Ebox, Details]]
    ) -> None:
        """The same deed many times, an entry each, in one statement."""
        entries.record_all(connection, [self._deed(deed, told, ebox) for ebox, told in done])

    def _deed(self, deed: str, details: Details, ebox: Ebox | None) -> Entry:
        return Entry(
            at=self.now(),
            token_hash=None,
            client_id=_OURSELVES,
            method=_NO_METHOD,
            url=f"urn:registry:{deed}",
            status=200,
            details=details,
            ebox=None if ebox is None else self.pseudonyms.of(ebox),
        )

    def _person(self, digits: str) -> str:
        return self.pseudonyms.of(Ebox(EboxKind.CITIZEN, digits))


_OURSELVES = "registry"
_NO_METHOD = "DO"  # no HTTP
