"""The repair of what a check finds: marks for readers, quarantine for strays; nothing is lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.blobs.objects import StoredObjects
from registry.domain.document_keys import find_record_key
from registry.domain.storage_findings import StorageFault, StorageFinding
from registry.store.documents import inventory
from registry.store.transactions import Transactions

_OUTCOMES: Final = {
    StorageFault.NO_LOCK: "left: storage alone can lock it, or the next version of the document",
    StorageFault.HELD_FOR_NOBODY: "left: a hold may have been lost with a database",
    StorageFault.PAST_EXPIRY: "left: for the purge",
}


@dataclass(frozen=True)
class StorageRepair:
    """Does what can be done about a finding without losing anything, and says what that was.

    A document that cannot be read is marked, so that its readers are told so at once; one that can
    be again loses its mark. A stray is moved below the quarantine prefix.
    """

    transactions: Transactions
    objects: StoredObjects
    audit_log: AuditLog
    now: Callable[[], datetime]

    def repair(self, finding: StorageFinding) -> StorageFinding:
        """Repair, and give the finding with its outcome."""
        if finding.fault.is_unreadable:
            return replace(finding, outcome=self._mark(finding, finding.fault.value))
        if finding.fault is StorageFault.MARKED_THOUGH_SOUND:
            return replace(finding, outcome=self._mark(finding, None), is_settled=True)
        if finding.fault is StorageFault.NOT_HELD:
            self.objects.blobs.hold(finding.key, is_held=True)
            return replace(finding, outcome="held", is_settled=True)
        if finding.fault is StorageFault.STRAY:
            return self._quarantine(finding)
        return replace(finding, outcome=_OUTCOMES[finding.fault])

    def _mark(self, finding: StorageFinding, fault: str | None) -> str:
        with self.transactions() as connection:
            count = inventory.mark(connection, finding.key, fault)
            if count:
                self._record(connection, "fsck/mark" if fault else "fsck/unmark", finding)
        if fault:
            return "marked for its readers" if count else "was marked for its readers before"
        return "the mark is taken away"

    def _quarantine(self, finding: StorageFinding) -> StorageFinding:
        """Copy, look again, and delete what was copied; every doubt leaves the object.

        The record of a publication moves with its first document.
        """
        now, blobs = self.now(), self.objects.blobs
        stored_object = self.objects.describe(finding.key)
        if stored_object is None:
            return replace(finding, outcome="gone meanwhile", is_settled=True)
        record_key = find_record_key(finding.key)
        record = self.objects.describe(record_key) if record_key else None
        if stored_object.is_locked(now) or (record and record.is_locked(now)):
            return replace(finding, outcome="left: storage must still keep it")
        copy_key = self.objects.copy_to_quarantine(stored_object)
        with self.transactions() as connection:
            is_stray = bool(inventory.find_unclaimed(connection, [finding.key], due_before=now))
            if is_stray:
                self._record(connection, "fsck/quarantine", finding)
        if is_stray and record:
            self.objects.copy_to_quarantine(record)
            blobs.erase(record.key)
        if is_stray and blobs.erase(finding.key):
            return replace(finding, outcome=f"moved to {copy_key}", is_settled=True)
        blobs.erase(copy_key)
        return replace(finding, outcome="left: it is needed after all")

    def _record(self, connection: Connection, operation: str, finding: StorageFinding) -> None:
        facts = details.describe_object(finding.key, finding.message_id)
        self.audit_log.note(connection, operation, facts)
