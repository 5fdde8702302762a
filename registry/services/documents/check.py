"""The check: rows held against objects, and objects against rows, from a key on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from registry.blobs.checked import verify_document
from registry.blobs.objects import StoredObjects
from registry.domain.document_keys import PREFIX, find_message_id
from registry.domain.errors import DocumentUnavailable
from registry.domain.identifiers import Ebox
from registry.domain.pseudonyms import Pseudonyms
from registry.domain.storage_findings import (
    FiledDocument,
    StorageFault,
    StorageFinding,
    StoredObject,
    compare,
)
from registry.store.documents import inventory
from registry.store.transactions import Transactions

_BATCH: Final = 400  # documents between two looks at the database
_AT_ONCE: Final = 4  # objects that storage is asked about at a time
_ERASURE_TIME: Final = timedelta(days=1)  # for which an object may wait to be erased


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch that ends at the key `last`: `count` documents or objects, `size` bytes read."""

    last: str
    count: int
    size: int
    findings: Sequence[StorageFinding]


@dataclass(frozen=True)
class StorageCheck:
    """Looks whether storage has what the database promises, and nothing else; changes nothing.

    `needs_lock`: documents are stored under Object Lock.
    """

    transactions: Transactions
    objects: StoredObjects
    needs_lock: bool
    pseudonyms: Pseudonyms
    now: Callable[[], datetime]

    def name_scope(self, ebox: Ebox | None) -> str:
        """Name what is checked, where it may be kept: an e-Box by its keyed hash alone."""
        return "all" if ebox is None else self.pseudonyms.hash_ebox(ebox)

    def count_documents(self, ebox: Ebox | None) -> int:
        """Count the documents to check: of all e-Boxes, about so many."""
        with self.transactions() as connection:
            return inventory.count_documents(connection, ebox)

    def check_documents(
        self, ebox: Ebox | None, *, after: str, is_deep: bool
    ) -> Iterator[CheckedBatch]:
        """Check that each document behind a key has its object; of one e-Box or of all.

        `is_deep` reads every byte; else only of documents that are marked.
        """
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            while documents := self._list(ebox, after):
                check = partial(self._check, now=self.now(), is_deep=is_deep)
                reports = list(threads.map(check, documents))
                after = documents[-1].blob_key
                findings = [finding for report, _ in reports for finding in report]
                yield CheckedBatch(
                    after, len(documents), sum(size for _, size in reports), findings
                )

    def check_objects(self, *, after: str, older_than: timedelta) -> Iterator[CheckedBatch]:
        """Check that each object behind a key belongs to something, if it is as old as that.

        A younger one may be of an upload under way whose process notes nothing.
        """
        for page in self.objects.list_pages(PREFIX, after):
            if not page:
                continue
            now = self.now()
            keys = [
                stored_object.key
                for stored_object in page
                if stored_object.stored_at < now - older_than
            ]
            # After the list: what was claimed meanwhile has its row by now.
            with self.transactions() as connection:
                objects = inventory.find_unclaimed(connection, keys, due_before=now - _ERASURE_TIME)
            findings = [
                StorageFinding(
                    StorageFault.PAST_EXPIRY if each.is_overdue else StorageFault.STRAY,
                    each.key,
                    find_message_id(each.key),
                )
                for each in sorted(objects)
            ]
            yield CheckedBatch(page[-1].key, len(page), 0, findings)

    def _list(self, ebox: Ebox | None, after: str) -> Sequence[FiledDocument]:
        with self.transactions() as connection:
            return inventory.list_documents(connection, ebox, after=after, limit=_BATCH)

    def _check(
        self, document: FiledDocument, *, now: datetime, is_deep: bool
    ) -> tuple[list[StorageFinding], int]:
        """Check one document; gives the findings, and how many bytes were read."""
        stored_object = self.objects.describe(document.blob_key)
        faults = list(compare(document, stored_object, now=now, needs_lock=self.needs_lock))
        size = 0
        if stored_object and StorageFault.WRONG_SIZE not in faults and (is_deep or document.fault):
            size = stored_object.size
            if not self._is_right(document, stored_object):
                faults.append(StorageFault.WRONG_DIGEST)
        if document.fault and not any(fault.is_unreadable for fault in faults):
            faults.append(StorageFault.MARKED_THOUGH_SOUND)
        findings = [
            StorageFinding(fault, document.blob_key, document.message_id) for fault in faults
        ]
        return findings, size

    def _is_right(self, document: FiledDocument, stored_object: StoredObject) -> bool:
        """Tell if the object has the document's bytes, by reading them all."""
        blobs, size = self.objects.blobs, stored_object.size
        try:
            verify_document(blobs, document.blob_key, document.digest, size)
        except DocumentUnavailable:  # altered, or gone while we looked
            return False
        return True
