"""Legal holds: an operator sets one so that nothing is deleted, until he lifts it."""

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
from registry.store.retention.legal_holds import LegalHold
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class LegalHolds:
    """Legal holds: on a message, or on all messages that an e-Box has and will get.

    Where documents are under S3 Object Lock the hold is set on them in storage too, on those that
    exist at that time; later ones the database alone protects.
    """

    transactions: Transactions
    blobs: BlobStore
    audit_log: AuditLog
    now: Callable[[], datetime]

    def set(self, ebox: Ebox, message_id: UUID | None, why: str) -> UUID:
        """Set a hold, and give its id. Raises `NotFound` for a message that is not there."""
        hold_id = uuid4()
        with self.transactions() as connection:
            legal_holds.wait_for_purge(connection)
            if message_id and not legal_holds.has_message(connection, ebox, message_id):
                raise NotFound("message_id", str(message_id), "The e-Box has no such message.")
            legal_holds.add_hold(
                connection, ebox, hold_id, message_id=message_id, why=why, now=self.now()
            )
            facts = details.describe_hold(hold_id, message_id)
            self.audit_log.note(connection, "hold/set", facts, ebox=ebox)
        return hold_id

    def lift(self, hold_id: UUID, why: str) -> LegalHold:
        """End a hold, and give it. Raises `NotFound` unless it is in force."""
        with self.transactions() as connection:
            hold = legal_holds.lift_hold(connection, hold_id, why=why, now=self.now())
            if hold is None:
                raise NotFound("hold_id", str(hold_id), "There is no such hold in force.")
            facts = details.describe_hold(hold_id, hold.message_id)
            self.audit_log.note(connection, "hold/lift", facts, ebox=hold.ebox)
        return hold

    def find(self, hold_id: UUID) -> LegalHold:
        """Find a hold, lifted or not. Raises `NotFound`."""
        with self.transactions() as connection:
            hold = legal_holds.find_hold(connection, hold_id)
        if hold is None:
            raise NotFound("hold_id", str(hold_id), "There is no such hold.")
        return hold

    def list_holds(self, *, with_lifted: bool) -> Sequence[LegalHold]:
        """List the holds in force, the oldest first; `with_lifted` also those that were lifted."""
        with self.transactions() as connection:
            return legal_holds.list_holds(connection, with_lifted=with_lifted)

    def hold_documents(self, ebox: Ebox, message_id: UUID | None) -> Iterator[str]:
        """Hold the documents in storage too; gives the storage key of each, one by one."""
        yield from self._mark(ebox, message_id, is_held=True)

    def free_documents(self, ebox: Ebox, message_id: UUID | None) -> Iterator[str]:
        """Let storage delete the documents that no other hold is on; gives the key of each."""
        yield from self._mark(ebox, message_id, is_held=False)

    def _mark(self, ebox: Ebox, message_id: UUID | None, *, is_held: bool) -> Iterator[str]:
        with self.transactions() as connection:
            keys = legal_holds.list_documents(connection, ebox, message_id, only_free=not is_held)
        # After the transaction: one call to storage for each key, and there may be thousands.
        for key in keys:
            self.blobs.hold(key, is_held=is_held)
            yield key
