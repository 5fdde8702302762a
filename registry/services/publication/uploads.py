"""Uploads: files are stored under their final key, then claimed by a message or swept away."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from registry.blobs import BlobStore
from registry.blobs.clamd import Clamd
from registry.domain import filenames
from registry.domain.document_keys import make_key, make_record_key
from registry.domain.document_metadata import make_metadata
from registry.domain.drafts import StagedFile, find_part_faults
from registry.domain.errors import Invalid, RegistryError
from registry.domain.file_signatures import Sniffer
from registry.domain.identifiers import Ebox
from registry.store.publication import upload_notes
from registry.store.publication.upload_notes import UploadNote
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class Uploads:
    """Stores files before their message is known: a message claims a file, nothing is moved.

    Without `scanner` nobody looks for malware.
    """

    transactions: Transactions
    blobs: BlobStore
    scanner: Clamd | None

    def begin(self, ebox: Ebox) -> "Upload":
        """Begin an upload by the owner of an e-Box; nothing happens before its first file."""
        return Upload(self, ebox)


@dataclass
class Upload:
    """The files of one message to be, whose id is chosen here: it is in their keys.

    The upload is noted before a byte of it is stored, so that the sweep knows of it (ADR 026).
    """

    uploads: Uploads
    ebox: Ebox
    message_id: UUID = field(default_factory=uuid4)
    files: list[StagedFile] = field(default_factory=list)
    _is_noted: bool = False
    _is_broken_off: bool = False

    def stage(
        self, part: str, file_name: str | None, media_type: str | None, chunks: Iterable[bytes]
    ) -> None:
        """Store a file, and measure its size, SHA-256 and kind on the way.

        Raises `Invalid` for a file that cannot belong to any message, before or while it is
        stored, `MalwareFound`, `NotScanned`, and whatever `chunks` raises; nothing is left of it
        then, or the sweep finds it.
        """
        name = filenames.make_display_name(file_name, media_type) if file_name else None
        if faults := find_part_faults(part, name, media_type):
            raise Invalid(faults)
        inspector = _FileInspector(part, name, str(media_type))
        self._note()
        key = make_key(self.message_id, len(self.files) + 1)
        if self.uploads.scanner:
            chunks = self.uploads.scanner.scan(chunks, inspector.mark_unscanned)
        self._is_broken_off = True
        metadata = partial(inspector.make_metadata, self.message_id)
        self.uploads.blobs.put(key, inspector.watch(chunks), metadata)
        self._is_broken_off = False
        self.files.append(inspector.describe(key))

    def discard(self) -> None:
        """Delete the files, which no message will claim; what cannot be deleted is swept later."""
        if not self._is_noted:
            return
        keys = [file.blob_key for file in self.files]
        if not self._is_broken_off:
            # The record first: without it nobody takes the files for those of a message that was
            # lost. While files were coming there was none, and storage may be away.
            keys.insert(0, make_record_key(self.message_id))
        try:
            erasures = [self.uploads.blobs.erase(key) for key in keys]
            # Nobody knows what is left of a file that was broken off: the note stays with it.
            if all(erasures) and not self._is_broken_off:
                with self.uploads.transactions(self.ebox) as connection:
                    upload_notes.remove(connection, self._make_note())
        except RegistryError:
            return  # storage is away: each further try would make the sender wait for nothing

    def _note(self) -> None:
        if not self._is_noted:
            upload_notes.add(self.uploads.transactions, self._make_note())
            self._is_noted = True

    def _make_note(self) -> UploadNote:
        return UploadNote(self.ebox, self.message_id)


class _FileInspector:
    """Measures a file while its chunks pass by on their way to storage."""

    def __init__(self, part: str, file_name: str | None, media_type: str) -> None:
        self._part, self._file_name, self._media_type = part, file_name, media_type
        self._sniffer = Sniffer()
        self._hash = hashlib.sha256()
        self._size = 0
        self._is_scanned = True
        self._is_over = False

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
        self._is_over = True

    def make_metadata(self, message_id: UUID) -> Mapping[str, str]:
        """Make what is stored with the file: its digest too, if all chunks have passed."""
        digest = self._encode_digest() if self._is_over else None
        return make_metadata(message_id, self._media_type, self._file_name, digest)

    def describe(self, key: str) -> StagedFile:
        """Describe the file, all of whose chunks have passed."""
        return StagedFile(
            part=self._part,
            file_name=self._file_name,
            media_type=self._media_type,
            size=self._size,
            digest=self._encode_digest(),
            blob_key=key,
            is_scanned=self._is_scanned,
        )

    def _encode_digest(self) -> str:
        return base64.urlsafe_b64encode(self._hash.digest()).decode()

    def _check(self, *, may_agree: bool) -> None:
        faults = find_part_faults(
            self._part,
            self._file_name,
            self._media_type,
            is_what_it_says=may_agree,
        )
        if faults:
            raise Invalid(faults)
