"""Files on their way in: stored under their final key, claimed by a message, or swept away."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import uuid4

from registry.blobs import BlobStore
from registry.domain import filenames
from registry.domain.drafts import Staged, part_faults
from registry.domain.errors import Invalid, RegistryError
from registry.domain.file_signatures import Sniffer
from registry.store.consultation import messages
from registry.store.schema import Transactions

PREFIX: Final = "documents/"
_ASKED_AT_ONCE: Final = 1000  # keys


class Scanner(Protocol):
    """Looks for malware while a file passes by."""

    def scan(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Hand on every chunk; raises `MalwareFound` at the end, `Unavailable` for no answer."""
        ...


@dataclass(frozen=True)
class Uploads:
    """Stores files before their message is known: a message claims a blob, nothing is moved.

    `scanner` None looks for no malware.
    """

    transactions: Transactions
    blobs: BlobStore
    scanner: Scanner | None
    now: Callable[[], datetime]

    def stage(
        self, part: str, file_name: str | None, media_type: str | None, chunks: Iterable[bytes]
    ) -> Staged:
        """Store a file while its size, SHA-256 and kind are found out.

        Raises `Invalid` for a file that cannot belong to any message, before or while it is
        stored, `MalwareFound`, and whatever `chunks` raises; nothing is left of it then.
        """
        shown = filenames.displayed(file_name) if file_name else None
        if faults := part_faults(part, shown, media_type):
            raise Invalid(faults)
        passing = _Passing(part, shown, str(media_type))
        key = f"{PREFIX}{uuid4()}"
        watched = self.scanner.scan(chunks) if self.scanner else chunks
        self.blobs.put(key, passing.through(watched))
        return passing.staged(key)

    def discard(self, staged: Iterable[Staged]) -> None:
        """Delete files that no message will claim; what cannot be deleted now is swept later."""
        for file in staged:
            try:
                self.blobs.erase(file.blob_key)
            except RegistryError:
                return

    def unclaimed(self, older_than: timedelta) -> Iterator[str]:
        """Keys of stored files that no message has, and that had their time to find one."""
        before = self.now() - older_than
        batch: list[str] = []
        for key in self.blobs.keys(PREFIX, before):
            batch.append(key)
            if len(batch) == _ASKED_AT_ONCE:
                yield from self._unclaimed(batch)
                batch = []
        yield from self._unclaimed(batch)

    def waiting(self, older_than: timedelta) -> Iterator[str]:
        """What `sweep` would delete; the keys."""
        yield from self.unclaimed(older_than)
        yield from self.blobs.unfinished(PREFIX, self.now() - older_than)

    def sweep(self, older_than: timedelta) -> Iterator[str]:
        """Delete them, and uploads that were never finished; the keys of what was deleted.

        What storage must keep, because of Object Lock, is left for another day.
        """
        for key in self.unclaimed(older_than):
            if self.blobs.erase(key):
                yield key
        yield from self.blobs.abort_uploads(PREFIX, self.now() - older_than)

    def _unclaimed(self, keys: list[str]) -> Iterator[str]:
        if not keys:
            return
        with self.transactions() as connection:
            unclaimed = messages.unclaimed(connection, keys)
        yield from unclaimed


class _Passing:
    """What is learnt of a file while it passes by."""

    def __init__(self, part: str, file_name: str | None, media_type: str) -> None:
        self._part, self._file_name, self._media_type = part, file_name, media_type
        self._sniffer = Sniffer()
        self._hash = hashlib.sha256()
        self._size = 0

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks; raises `Invalid` as soon as the file cannot be what it says."""
        is_known = False
        for chunk in chunks:
            self._hash.update(chunk)
            self._size += len(chunk)
            self._sniffer.feed(chunk)
            if self._sniffer.is_full and not is_known:
                self._check()
                is_known = True
            yield chunk
        if not is_known:
            self._check()

    def staged(self, key: str) -> Staged:
        """The file that has passed."""
        return Staged(
            part=self._part,
            file_name=self._file_name,
            media_type=self._media_type,
            size=self._size,
            digest=base64.urlsafe_b64encode(self._hash.digest()).decode(),
            blob_key=key,
        )

    def _check(self) -> None:
        agrees = self._sniffer.agrees(self._media_type)
        faults = part_faults(self._part, self._file_name, self._media_type, is_what_it_says=agrees)
        if faults:
            raise Invalid(faults)
