"""Uploads: files are stored under their final key, then claimed by a message or swept away."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from registry.blobs import BlobStore
from registry.blobs.clamd import Clamd
from registry.domain import filenames
from registry.domain.drafts import StagedFile, find_part_faults
from registry.domain.errors import Invalid, RegistryError
from registry.domain.file_signatures import Sniffer
from registry.store.consultation import messages
from registry.store.transactions import Transactions

PREFIX: Final = "documents/"
_BATCH: Final = 1000  # keys in one statement


@dataclass(frozen=True)
class Uploads:
    """Stores files before their message is known: a message claims a file, nothing is moved.

    Without `scanner` nobody looks for malware.
    """

    transactions: Transactions
    blobs: BlobStore
    scanner: Clamd | None
    now: Callable[[], datetime]

    def stage(
        self, part: str, file_name: str | None, media_type: str | None, chunks: Iterable[bytes]
    ) -> StagedFile:
        """Store a file, and measure its size, SHA-256 and kind on the way.

        Raises `Invalid` for a file that cannot belong to any message, before or while it is
        stored, `MalwareFound`, `NotScanned`, and whatever `chunks` raises; nothing is left of it
        then.
        """
        name = filenames.make_display_name(file_name, media_type) if file_name else None
        if faults := find_part_faults(part, name, media_type):
            raise Invalid(faults)
        inspector = _FileInspector(part, name, str(media_type))
        # Nothing of the sender's in the key: file names repeat, and may say whom they are about.
        key = f"{PREFIX}{uuid4()}"
        if self.scanner:
            chunks = self.scanner.scan(chunks, inspector.mark_unscanned)
        self.blobs.put(key, inspector.watch(chunks))
        return inspector.describe(key)

    def discard(self, files: Iterable[StagedFile]) -> None:
        """Delete files that no message will claim; those that cannot be deleted are swept later."""
        for file in files:
            try:
                self.blobs.erase(file.blob_key)
            except RegistryError:
                return  # storage is away: each further try would make the sender wait for nothing

    def find_unclaimed(self, older_than: timedelta) -> Iterator[str]:
        """Find stored files that no message has claimed although they had the time; their keys."""
        before = self.now() - older_than
        batch: list[str] = []
        for key in self.blobs.keys(PREFIX, before):
            batch.append(key)
            if len(batch) == _BATCH:
                yield from self._filter_unclaimed(batch)
                batch = []
        yield from self._filter_unclaimed(batch)

    def preview_sweep(self, older_than: timedelta) -> Iterator[str]:
        """Find all that `sweep` would delete; gives the keys."""
        yield from self.find_unclaimed(older_than)
        yield from self.blobs.list_unfinished(PREFIX, self.now() - older_than)

    def sweep(self, older_than: timedelta) -> Iterator[str]:
        """Delete unclaimed files and uploads that were never finished; gives the keys.

        A file that storage must keep, because of Object Lock, is left for another day.
        """
        for key in self.find_unclaimed(older_than):
            if self.blobs.erase(key):
                yield key
        yield from self.blobs.abort_uploads(PREFIX, self.now() - older_than)

    def _filter_unclaimed(self, keys: list[str]) -> Iterator[str]:
        if not keys:
            return
        # Of no e-Box: a function of the database looks whether anybody has the document.
        with self.transactions() as connection:
            keys_unclaimed = messages.filter_unclaimed(connection, keys)
        yield from keys_unclaimed


class _FileInspector:
    """Measures a file while its chunks pass by on their way to storage."""

    def __init__(self, part: str, file_name: str | None, media_type: str) -> None:
        self._part, self._file_name, self._media_type = part, file_name, media_type
        self._sniffer = Sniffer()
        self._hash = hashlib.sha256()
        self._size = 0
        self._is_scanned = True

    def mark_unscanned(self) -> None:
        """Note that malware was looked for in a part of the file only."""
        self._is_scanned = False

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Hand on every chunk; raises `Invalid` as soon as the file cannot be what it says."""
        is_known = False
        for chunk in chunks:
            self._hash.update(chunk)
            self._size += len(chunk)
            self._sniffer.feed(chunk)
            # As early as possible, so that a gigabyte of nonsense is refused at its first bytes.
            if self._sniffer.has_head and not is_known:
                self._check(may_agree=self._sniffer.may_agree(self._media_type))
                is_known = True
            yield chunk
        self._check(may_agree=self._sniffer.agrees(self._media_type))

    def describe(self, key: str) -> StagedFile:
        """Describe the file, all of whose chunks have passed."""
        return StagedFile(
            part=self._part,
            file_name=self._file_name,
            media_type=self._media_type,
            size=self._size,
            digest=base64.urlsafe_b64encode(self._hash.digest()).decode(),
            blob_key=key,
            is_scanned=self._is_scanned,
        )

    def _check(self, *, may_agree: bool) -> None:
        faults = find_part_faults(
            self._part,
            self._file_name,
            self._media_type,
            is_what_it_says=may_agree,
        )
        if faults:
            raise Invalid(faults)
