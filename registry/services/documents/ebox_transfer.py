"""An e-Box as a whole: written to a file for its owner, and put into another registry."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit import details
from registry.audit.log import AuditLog
from registry.audit.trail.keys import Keys
from registry.blobs.checked import check_digest, verify_document
from registry.blobs.objects import StoredObjects
from registry.domain.document_keys import make_key
from registry.domain.document_metadata import make_metadata
from registry.domain.errors import DocumentAltered, DocumentUnavailable
from registry.domain.identifiers import Ebox
from registry.services.documents.ebox_archive import (
    ArchiveManifest,
    ArchiveReader,
    ArchiveUnusable,
    ArchiveWriter,
    ShowCount,
    name_document,
)
from registry.store.documents import ebox_contents
from registry.store.documents.ebox_contents import LetterRows, UnknownColumn
from registry.store.publication import upload_notes
from registry.store.publication.upload_notes import UploadNote
from registry.store.transactions import Transactions, lift_time_limit

_REFERENCES: Final = ("message_type_id", "sender_application_id", "message_template_id", "sender")
_BATCH: Final = 200  # letters whose presence is asked for at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCount:
    """Letters of a file that were put into the e-Box, and those that it had already."""

    letters: int = 0
    present: int = 0


class _Document(NamedTuple):
    """A document: its name in the file, its key in storage, its SHA-256 in base64url, its size."""

    name: str
    key: str
    digest: str
    size: int


@dataclass(frozen=True)
class EboxTransfer:
    """Exports and imports e-Boxes, through the worker's role; each is an entry of the trail."""

    transactions: Transactions
    objects: StoredObjects
    audit_log: AuditLog
    private_key: Ed25519PrivateKey | None
    now: Callable[[], datetime]

    def export(self, ebox: Ebox, file: IO[bytes], show: ShowCount) -> ArchiveManifest:
        """Write all that an e-Box has, hidden letters too; `show` gets the number of documents.

        Raises `DocumentUnavailable` or `DocumentAltered` for a document that is not what its
        letter says: then the file is worth nothing.
        """
        with ArchiveWriter(file) as writer:
            manifest = self._write(writer, ebox, show)
        with self.transactions() as connection:
            facts = details.describe_count("letters", manifest.letters)
            self.audit_log.note(connection, "ebox/export", facts, ebox=ebox)
        return manifest

    def load(self, path: Path, keyring: Keys | None, show: ShowCount) -> ImportCount:
        """Put all letters of a file into the e-Box that it is of, as they were.

        The file is checked whole before; `show` gets the number of letters checked, then of those
        that were put in. Letters that are there are left alone, so that a load that
        broke off goes on. Raises `ArchiveUnusable`; then nothing, or what came before, is loaded.
        """
        with ArchiveReader(path) as archive:
            manifest = archive.check(keyring, show)
            self._require_references(archive)
            count, present = 0, 0
            for letters in _split(archive.read_letters()):
                present_ids = self._find_present(manifest.ebox, letters)
                for letter in letters:
                    if letter.message_id in present_ids:
                        present += 1
                    else:
                        self._load_letter(archive, manifest.ebox, _place(letter))
                        count += 1
                    show(count + present)
        return ImportCount(letters=count, present=present)

    def _write(self, writer: ArchiveWriter, ebox: Ebox, show: ShowCount) -> ArchiveManifest:
        documents: list[_Document] = []
        with self.transactions(ebox) as connection:
            lift_time_limit(connection)
            letters = ebox_contents.read_letters(connection, ebox)
            result = writer.write_letters(_note_documents(letters, documents))
        for count, document in enumerate(documents, 1):
            writer.write_document(document.name, self._read(document))
            show(count)
        made_at = self.now().isoformat(timespec="seconds")
        return writer.finish(ebox, made_at, result, self.private_key)

    def _read(self, document: _Document) -> Iterator[bytes]:
        """Read a document that is held against its digest."""
        if not document.size:
            return
        blob = self.objects.blobs.open(document.key, 0, document.size - 1, size=document.size)
        document_blob = check_digest(blob, document.digest, document.size)
        try:
            yield from document_blob
        finally:
            document_blob.close()

    def _require_references(self, archive: ArchiveReader) -> None:
        """Raise `ArchiveUnusable` for letters of types or senders that are not known here."""
        references: defaultdict[str, set[str]] = defaultdict(set)
        for letter in archive.read_letters():
            for column in _REFERENCES:
                if (value := letter.message.get(column)) is not None:
                    references[column].add(str(value))
        with self.transactions() as connection:
            unknown = ebox_contents.find_unknown_references(connection, references)
        if unknown:
            raise ArchiveUnusable(
                f"The reference data have no {', no '.join(unknown)}: import them first."
            )

    def _find_present(self, ebox: Ebox, letters: Sequence[LetterRows]) -> set[UUID]:
        ids = [letter.message_id for letter in letters]
        with self.transactions(ebox) as connection:
            return ebox_contents.find_present(connection, ebox, ids)

    def _load_letter(self, archive: ArchiveReader, ebox: Ebox, letter: LetterRows) -> None:
        """Load documents, then the rows in one transaction; the sweep takes what is left over."""
        note = UploadNote(ebox, letter.message_id)
        upload_notes.add(self.transactions, note)
        for number, file in enumerate(letter.attachments, 1):
            self._load_document(archive, letter, number, file)
        try:
            with self.transactions(ebox) as connection:
                ebox_contents.add_letter(connection, ebox, letter)
                upload_notes.remove(connection, note)
                facts = details.describe_message_id(letter.message_id)
                self.audit_log.note(connection, "ebox/import", facts, ebox=ebox)
        except UnknownColumn as error:
            raise ArchiveUnusable(f"Letter {letter.message_id}: {error}") from error

    def _load_document(
        self, archive: ArchiveReader, letter: LetterRows, number: int, file: Mapping[str, Any]
    ) -> None:
        key, digest, size = file["blob_key"], file["digest"], file["size"]
        blobs = self.objects.blobs
        if self.objects.describe(key) is not None:
            # Another copy of a broadcast brought it, or a load that broke off.
            try:
                verify_document(blobs, key, digest, size)
            except (DocumentAltered, DocumentUnavailable) as error:
                raise ArchiveUnusable(
                    f"Storage has another document under {key}; nothing is written over."
                ) from error
            return
        metadata = make_metadata(letter.message_id, file["media_type"], file["file_name"], digest)
        chunks = archive.read_document(name_document(letter, number))
        blobs.put(key, chunks, lambda: metadata)


def _note_documents(
    letters: Iterator[LetterRows], documents: list[_Document]
) -> Iterator[LetterRows]:
    """Pass letters on, and note their documents."""
    for letter in letters:
        for number, file in enumerate(letter.attachments, 1):
            name = name_document(letter, number)
            documents.append(_Document(name, file["blob_key"], file["digest"], file["size"]))
        yield letter


def _split(letters: Iterator[LetterRows]) -> Iterator[Sequence[LetterRows]]:
    while batch := list(islice(letters, _BATCH)):
        yield batch


def _place(letter: LetterRows) -> LetterRows:
    """Give the documents of a letter the keys that they have here."""
    files = [
        {**file, "blob_key": make_key(letter.message_id, number)}
        for number, file in enumerate(letter.attachments, 1)
    ]
    return replace(letter, attachments=files)
