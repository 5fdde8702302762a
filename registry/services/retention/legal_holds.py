"""Legal holds: what an operator sets so that nothing is deleted, until he lifts it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs import BlobStore
from registry.domain.errors import NotFound
from registry.domain.identifiers import Ebox
from registry.store.retention import legal_holds
from registry.store.schema import AnyRow, Transactions


@dataclass(frozen=True)
class LegalHolds:
    """Legal holds: on a message, or on all that an e-Box has and gets.

    Where documents are under S3 Object Lock they are held there too, those that are there when the
    hold is set; what comes later the database alone protects.
    """

    transactions: Transactions
    blobs: BlobStore
    audit_log: AuditLog
    now: Callable[[], datetime]

    def set(self, ebox: Ebox, message_id: UUID | None, why: str) -> UUID:
        """Hold; the id of the hold. Raises `NotFound` for a message that is not there."""
        hold_id = uuid4()
        with self.transactions() as connection:
            legal_holds.wait_for_purge(connection)
            if message_id and not legal_holds.has_message(connection, ebox, message_id):
                raise NotFound("message_id", str(message_id), "The e-Box has no such message.")
            legal_holds.add(
                connection, ebox, hold_id, message_id=message_id, why=why, now=self.now()
            )
            told = details.held(hold_id, message_id)
            self.audit_log.note(connection, "hold/set", told, ebox=ebox)
        return hold_id

    def lift(self, hold_id: UUID, why: str) -> AnyRow:
        """End a hold; its `ebox` and `message_id`. Raises `NotFound` unless it is in force."""
        with self.transactions() as connection:
            lifted = legal_holds.lift(connection, hold_id, why=why, now=self.now())
            if lifted is None:
                raise NotFound("hold_id", str(hold_id), "There is no such hold in force.")
            told = details.held(hold_id, lifted.message_id)
            self.audit_log.note(connection, "hold/lift", told, ebox=lifted.ebox)
        return lifted

    def find(self, hold_id: UUID) -> AnyRow:
        """A hold, lifted or not, as `listed` gives it. Raises `NotFound`."""
        with self.transactions() as connection:
            found = legal_holds.find(connection, hold_id)
        if found is None:
            raise NotFound("hold_id", str(hold_id), "There is no such hold.")
        return found

    def keep(self, ebox: Ebox, message_id: UUID | None) -> Iterator[str]:
        """Hold the documents in storage too; the key of each that was."""
        yield from self._mark(ebox, message_id, is_held=True)

    def free(self, ebox: Ebox, message_id: UUID | None) -> Iterator[str]:
        """Let storage delete the documents that no other hold is on; the key of each."""
        yield from self._mark(ebox, message_id, is_held=False)

    def listed(self, *, lifted: bool) -> Sequence[AnyRow]:
        """The holds in force, the oldest first; with those that were lifted if asked for.

        Each has `hold_id`, `ebox`, `message_id`, `why`, `set_at`, `lifted_at` and `lifted_why`.
        """
        with self.transactions() as connection:
            return legal_holds.listed(connection, lifted=lifted)

    def _mark(self, ebox: Ebox, message_id: UUID | None, *, is_held: bool) -> Iterator[str]:
        with self.transactions() as connection:
            keys = legal_holds.documents(connection, ebox, message_id, only_free=not is_held)
        for key in keys:
            self.blobs.hold(key, is_held=is_held)
            yield key
