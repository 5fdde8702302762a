"""Assembly of what operators type, each service made when it is first used.

So a command needs the settings of what it uses, and of nothing else. None is shared by threads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property

from registry.audit.log import AuditLog
from registry.blobs.objects import StoredObjects
from registry.blobs.s3 import S3Blobs
from registry.domain.pseudonyms import Pseudonyms
from registry.services.clock_check import ClockCheck
from registry.services.documents.adoption import Adoption
from registry.services.documents.check import StorageCheck
from registry.services.documents.repair import StorageRepair
from registry.services.events.administration import EventAdministration
from registry.services.events.reminders import Reminders
from registry.services.publication.records import PublicationRecords
from registry.services.publication.routing import Routing
from registry.services.publication.sweep import Sweep
from registry.services.readiness import DatabaseCheck
from registry.services.retention.deletion_proofs import DeletionProofs
from registry.services.retention.document_check import DocumentCheck
from registry.services.retention.legal_holds import LegalHolds
from registry.services.retention.message_inspection import MessageInspection
from registry.services.retention.purge import Purge
from registry.services.retention.withdrawal import Withdrawal
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring import clock
from registry.wiring.audit import NoPseudonyms, make_pseudonyms
from registry.wiring.database import make_engine
from registry.wiring.federation import make_event_reader, make_partition_api
from registry.wiring.storage import make_document_store


class OperatorServices:
    """The services that look across e-Boxes, through the worker's role.

    `operator` is who types a command, for the trail; None is the worker. Their first use raises
    `SettingsError` for what is needed and not set, and `KeyUnusable`.
    """

    def __init__(
        self,
        settings: Settings,
        operator: str | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.settings, self._operator, self._now = settings, operator, now

    def dispose(self) -> None:
        """Close the connections to the database, if there are any."""
        if "transactions" in vars(self):
            self.transactions.engine.dispose()

    @cached_property
    def transactions(self) -> Transactions:
        """Transactions of the worker's role."""
        return Transactions(make_engine(self.settings, "worker"), find_worker_fault)

    @cached_property
    def blobs(self) -> S3Blobs:
        """The document store."""
        return make_document_store(self.settings)

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """The pseudonyms of e-Boxes; without a hash key whoever wants one is told so."""
        return make_pseudonyms(self.settings) if self.settings.hash_key else NoPseudonyms()

    @cached_property
    def audit_log(self) -> AuditLog:
        """What records the operator's deeds."""
        return AuditLog(self.pseudonyms, self._now, self._operator)

    @cached_property
    def clock_check(self) -> ClockCheck:
        """The comparison of our clock with the database's."""
        return ClockCheck(self.transactions, self._now)

    @cached_property
    def event_administration(self) -> EventAdministration:
        """Events on their way to the federation."""
        return EventAdministration(self.transactions, self.audit_log, self._now)

    @cached_property
    def reminders(self) -> Reminders:
        """Reminders of unread messages, and alerts before they expire."""
        days = self.settings.reminder_days, self.settings.alert_days
        return Reminders(self.transactions, self._now, *(timedelta(days=each) for each in days))

    @cached_property
    def deletion_proofs(self) -> DeletionProofs:
        """Proofs of what the purge deleted."""
        return DeletionProofs(self.transactions)

    @cached_property
    def purge(self) -> Purge:
        """The purge of what expired."""
        return Purge(self.transactions, self.blobs, self.audit_log, self.pseudonyms, self._now)

    @cached_property
    def legal_holds(self) -> LegalHolds:
        """Legal holds."""
        return LegalHolds(self.transactions, self.blobs, self.audit_log, self._now)

    @cached_property
    def message_inspection(self) -> MessageInspection:
        """The look at a message without reading it."""
        return MessageInspection(self.transactions, self._now)

    @cached_property
    def withdrawal(self) -> Withdrawal:
        """The withdrawal of what was sent to the wrong person."""
        return Withdrawal(self.transactions, self.legal_holds, self.audit_log, self._now)

    @cached_property
    def sweep(self) -> Sweep:
        """The sweep of what no message claimed."""
        return Sweep(self.transactions, self.blobs)

    @cached_property
    def document_check(self) -> DocumentCheck:
        """The reading of every document, in rounds."""
        settings = self.settings
        return DocumentCheck(
            self.transactions,
            self.blobs,
            settings.document_check_days,
            settings.document_check_rate,
        )

    @cached_property
    def storage_check(self) -> StorageCheck:
        """The comparison of storage with the database."""
        needs_lock = self.blobs.retention is not None
        objects = StoredObjects(self.blobs)
        return StorageCheck(self.transactions, objects, needs_lock, self.pseudonyms, self._now)

    @cached_property
    def storage_repair(self) -> StorageRepair:
        """Repair of what that comparison finds."""
        objects = StoredObjects(self.blobs)
        return StorageRepair(self.transactions, objects, self.audit_log, self._now)

    @cached_property
    def adoption(self) -> Adoption:
        """The adoption of publications that the database lost."""
        objects = StoredObjects(self.blobs)
        records = PublicationRecords(self.blobs, self.pseudonyms)
        return Adoption(self.transactions, objects, records, self.audit_log, self._now)


@contextmanager
def open_routing(settings: Settings) -> Iterator[Routing]:
    """Give the routing of the service, through the application's role, for the block."""
    transactions, partition_api = Transactions(make_engine(settings)), make_partition_api(settings)
    # Whoever asks for rules again records nothing, so no e-Box is named.
    audit_log = AuditLog(NoPseudonyms(), clock.now)
    try:
        yield Routing(
            transactions, partition_api, audit_log, make_event_reader(settings), clock.now
        )
    finally:
        partition_api.close()
        transactions.engine.dispose()


def check_database(settings: Settings) -> None:
    """Raise `Unavailable` unless the service could be served from its database."""
    transactions = Transactions(make_engine(settings))
    try:
        # The entry that is tried names no e-Box.
        DatabaseCheck(transactions, AuditLog(NoPseudonyms(), clock.now)).check()
    finally:
        transactions.engine.dispose()
