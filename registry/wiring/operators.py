"""Assembly of what operators type, each service made when it is first used.

So a command needs the settings of what it uses, and of nothing else. None is shared by threads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from registry.audit.log import AuditLog
from registry.domain.errors import SettingsError
from registry.domain.pseudonyms import Pseudonyms
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions, refuse_clients, refuse_operators
from registry.wiring import clock
from registry.wiring.database import make_engine
from registry.wiring.pseudonyms import NoPseudonyms, make_pseudonyms

if TYPE_CHECKING:
    from registry.blobs.s3 import S3Blobs
    from registry.services.clock_check import ClockCheck
    from registry.services.consultation.carrier_search import CarrierSearch
    from registry.services.documents.adoption import Adoption
    from registry.services.documents.check import StorageCheck
    from registry.services.documents.ebox_transfer import EboxTransfer
    from registry.services.documents.repair import StorageRepair
    from registry.services.documents.rescan import Rescan
    from registry.services.events.administration import EventAdministration
    from registry.services.events.event_memory import EventMemory
    from registry.services.events.reminders import Reminders
    from registry.services.publication.routing import Routing
    from registry.services.publication.suspensions import Suspensions
    from registry.services.publication.sweep import Sweep
    from registry.services.retention.deletion_proofs import DeletionProofs
    from registry.services.retention.document_check import DocumentCheck
    from registry.services.retention.legal_holds import LegalHolds
    from registry.services.retention.message_inspection import MessageInspection
    from registry.services.retention.purge import Purge
    from registry.services.retention.withdrawal import Withdrawal


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
        # The worker's own errors end in its log, which says what is wrong already.
        refuse = refuse_operators if self._operator else refuse_clients
        return Transactions(make_engine(self.settings, "worker"), find_worker_fault, refuse)

    @cached_property
    def blobs(self) -> "S3Blobs":
        """The document store."""
        from registry.wiring.storage import make_document_store

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
    def clock_check(self) -> "ClockCheck":
        """The comparison of our clock with the database's."""
        from registry.services.clock_check import ClockCheck

        return ClockCheck(self.transactions, self._now)

    @cached_property
    def event_administration(self) -> "EventAdministration":
        """Events on their way to the federation."""
        from registry.services.events.administration import EventAdministration

        return EventAdministration(self.transactions, self.audit_log, self._now)

    @cached_property
    def event_memory(self) -> "EventMemory":
        """Memory of the events that were told."""
        from registry.services.events.event_memory import EventMemory

        period = timedelta(days=self.settings.events_kept_days)
        return EventMemory(self.transactions, period, self._now)

    @cached_property
    def reminders(self) -> "Reminders":
        """Reminders of unread messages, and alerts before they expire."""
        from registry.services.events.reminders import Reminders

        days = self.settings.reminder_days, self.settings.alert_days
        return Reminders(self.transactions, self._now, *(timedelta(days=each) for each in days))

    @cached_property
    def deletion_proofs(self) -> "DeletionProofs":
        """Proofs of what the purge deleted."""
        from registry.services.retention.deletion_proofs import DeletionProofs

        return DeletionProofs(self.transactions)

    @cached_property
    def purge(self) -> "Purge":
        """The purge of what expired."""
        from registry.services.retention.purge import Purge

        return Purge(self.transactions, self.blobs, self.audit_log, self.pseudonyms, self._now)

    @cached_property
    def legal_holds(self) -> "LegalHolds":
        """Legal holds."""
        from registry.services.retention.legal_holds import LegalHolds

        return LegalHolds(self.transactions, self.blobs, self.audit_log, self._now)

    @cached_property
    def carrier_search(self) -> "CarrierSearch":
        """The search for messages that carry a document, or have a subject."""
        from registry.services.consultation.carrier_search import CarrierSearch

        return CarrierSearch(self.transactions, self._now)

    @cached_property
    def message_inspection(self) -> "MessageInspection":
        """The look at a message without reading it."""
        from registry.services.retention.message_inspection import MessageInspection

        return MessageInspection(self.transactions, self._now)

    @cached_property
    def suspensions(self) -> "Suspensions":
        """Suspensions of senders."""
        from registry.services.publication.suspensions import Suspensions

        return Suspensions(self.transactions, self.audit_log, self._now)

    @cached_property
    def withdrawal(self) -> "Withdrawal":
        """The withdrawal of what was sent to the wrong person."""
        from registry.services.retention.withdrawal import Withdrawal

        return Withdrawal(self.transactions, self.legal_holds, self.audit_log, self._now)

    @cached_property
    def sweep(self) -> "Sweep":
        """The sweep of what no message claimed."""
        from registry.services.publication.sweep import Sweep

        return Sweep(self.transactions, self.blobs)

    @cached_property
    def document_check(self) -> "DocumentCheck":
        """The reading of every document, in rounds."""
        from registry.services.retention.document_check import DocumentCheck

        settings = self.settings
        return DocumentCheck(
            self.transactions,
            self.blobs,
            settings.document_check_days,
            settings.document_check_rate,
        )

    @cached_property
    def storage_check(self) -> "StorageCheck":
        """The comparison of storage with the database."""
        from registry.blobs.objects import StoredObjects
        from registry.services.documents.check import StorageCheck

        needs_lock = self.blobs.retention is not None
        objects = StoredObjects(self.blobs)
        return StorageCheck(self.transactions, objects, needs_lock, self.pseudonyms, self._now)

    @cached_property
    def storage_repair(self) -> "StorageRepair":
        """Repair of what that comparison finds."""
        from registry.blobs.objects import StoredObjects
        from registry.services.documents.repair import StorageRepair

        objects = StoredObjects(self.blobs)
        return StorageRepair(self.transactions, objects, self.audit_log, self._now)

    @cached_property
    def ebox_transfer(self) -> "EboxTransfer":
        """Exports and imports of e-Boxes; signed where there is a key for seals."""
        from registry.blobs.objects import StoredObjects
        from registry.services.documents.ebox_transfer import EboxTransfer
        from registry.wiring.trail_keys import load_private_key

        objects = StoredObjects(self.blobs)
        key = load_private_key(self.settings) if self.settings.audit_key_path else None
        return EboxTransfer(self.transactions, objects, self.audit_log, key, self._now)

    @cached_property
    def rescan(self) -> "Rescan":
        """The second look of the malware scanner; raises `SettingsError` when there is none."""
        from registry.services.documents.rescan import Rescan
        from registry.wiring.scanner import make_scanner

        scanner = make_scanner(self.settings)
        if scanner is None:
            raise SettingsError(["REGISTRY_CLAMD_ADDRESS: is needed here and not set"])
        parts = self.transactions, self.blobs, scanner, self.withdrawal, self.audit_log
        return Rescan(*parts, self._now)

    @cached_property
    def adoption(self) -> "Adoption":
        """The adoption of publications that the database lost."""
        from registry.blobs.objects import StoredObjects
        from registry.services.documents.adoption import Adoption
        from registry.services.publication.records import PublicationRecords

        objects = StoredObjects(self.blobs)
        records = PublicationRecords(self.blobs, self.pseudonyms)
        return Adoption(self.transactions, objects, records, self.audit_log, self._now)


@contextmanager
def open_routing(settings: Settings) -> Iterator["Routing"]:
    """Give the routing of the service, through the application's role, for the block."""
    from registry.services.publication.routing import Routing
    from registry.wiring.federation import make_event_reader, make_partition_api

    transactions = Transactions(make_engine(settings), refuse=refuse_operators)
    partition_api = make_partition_api(settings)
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
    from registry.services.readiness import DatabaseCheck

    transactions = Transactions(make_engine(settings), refuse=refuse_operators)
    try:
        # The entry that is tried names no e-Box.
        DatabaseCheck(transactions, AuditLog(NoPseudonyms(), clock.now)).check()
    finally:
        transactions.engine.dispose()
