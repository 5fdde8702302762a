"""The file of an e-Box: letters as lines of JSON, documents beside them, a manifest over all.

A ZIP file: `letters.jsonl`, `documents/<message id>/<number>` from 1, and at the end
`manifest.json`, which has the SHA-256 of the letters and is signed where there is a key. Each
letter has the SHA-256 of its documents, so that the manifest stands for every byte.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit.trail import canonical_json, keys
from registry.domain.identifiers import Ebox
from registry.store.documents.ebox_contents import LetterRows

_FORMAT: Final = "ebox-contents/1"
_LETTERS: Final = "letters.jsonl"
_MANIFEST: Final = "manifest.json"
_CHUNK: Final = 1 << 20  # bytes read at once
_LONGEST_LINE: Final = 64 << 20  # bytes of a letter, without its documents
_METHOD: Final = zipfile.ZIP_STORED  # documents are compressed already, as most PDFs are

ShowCount = Callable[[int], None]


class ArchiveUnusable(ValueError):
    """The file is not that of an e-Box, or not as it was written; the text says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveManifest:
    """What a file is: of which e-Box, when it was made, and what is in it.

    `size` is that of all documents in bytes. `signer` is the id of the key that signed it, or None.
    """

    ebox: Ebox
    made_at: str
    letters: int
    documents: int
    size: int
    letters_digest: str
    signer: str | None = None


class ArchiveWriter:
    """Writes the file of an e-Box: first all letters, then the documents, then the manifest.

    Use it as a context, which ends the file; without a manifest it is none.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", _METHOD)
        self._documents = self._size = 0

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the file."""
        self._zip.close()

    def write_letters(self, letters: Iterable[LetterRows]) -> tuple[int, str]:
        """Write all letters; gives their number, and the SHA-256 of their lines in hexadecimal."""
        digest, count = hashlib.sha256(), 0
        with self._zip.open(_LETTERS, "w", force_zip64=True) as stream:
            for letter in letters:
                line = f"{json.dumps(_make_members(letter), ensure_ascii=False)}\n".encode()
                digest.update(line)
                stream.write(line)
                count += 1
        return count, digest.hexdigest()

    def write_document(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a document, by the name that `name_document` gives."""
        with self._zip.open(name, "w", force_zip64=True) as stream:
            for chunk in chunks:
                self._size += len(chunk)
                stream.write(chunk)
        self._documents += 1

    def finish(
        self,
        ebox: Ebox,
        made_at: str,
        letters: tuple[int, str],
        private_key: Ed25519PrivateKey | None,
    ) -> ArchiveManifest:
        """Write the manifest, and sign it if there is a key."""
        count, digest = letters
        manifest = ArchiveManifest(
            ebox=ebox,
            made_at=made_at,
            letters=count,
            documents=self._documents,
            size=self._size,
            letters_digest=digest,
            signer=keys.compute_key_id(private_key.public_key()) if private_key else None,
        )
        statement = _write_statement(manifest)
        signature = keys.sign(private_key, statement) if private_key else None
        text = canonical_json.dumps({**json.loads(statement), "signature": signature})
        self._zip.writestr(_MANIFEST, text)
        return manifest


class ArchiveReader:
    """Reads the file of an e-Box; everything raises `ArchiveUnusable`. Use it as a context."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ArchiveUnusable(f"{path} is not the file of an e-Box.") from error

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._zip.close()

    def check(self, keyring: keys.Keys | None, show: ShowCount) -> ArchiveManifest:
        """Check every byte of the file, and who signed it; gives its manifest.

        `keyring` None trusts whoever made it. `show` gets the number of letters so far.
        """
        manifest = self._read_manifest(keyring)
        digest, count, names = hashlib.sha256(), 0, {_LETTERS, _MANIFEST}
        size = 0
        for line in self._read_lines():
            digest.update(line)
            letter = _read_letter(line)
            for number, file in enumerate(letter.attachments, 1):
                name = name_document(letter, number)
                size += self._check_document(name, file)
                names.add(name)
            count += 1
            show(count)
        if digest.hexdigest() != manifest.letters_digest or count != manifest.letters:
            raise ArchiveUnusable("The letters are not those of the manifest.")
        if set(self._zip.namelist()) != names or len(self._zip.namelist()) != len(names):
            raise ArchiveUnusable("There is something in the file that belongs to no letter.")
        if (manifest.documents, manifest.size) != (len(names) - 2, size):
            raise ArchiveUnusable("The documents are not those of the manifest.")
        return manifest

    def read_letters(self) -> Iterator[LetterRows]:
        """Read the letters, the oldest first."""
        return map(_read_letter, self._read_lines())

    def read_document(self, name: str) -> Iterator[bytes]:
        """Read a document in chunks."""
        try:
            with self._zip.open(name) as stream:
                yield from iter(lambda: stream.read(_CHUNK), b"")
        except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ArchiveUnusable(f"{name} is missing or damaged.") from error

    def _read_lines(self) -> Iterator[bytes]:
        try:
            with self._zip.open(_LETTERS) as stream:
                yield from iter(lambda: stream.readline(_LONGEST_LINE), b"")
        except (KeyError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise ArchiveUnusable(f"{_LETTERS} is missing or damaged.") from error

    def _read_manifest(self, keyring: keys.Keys | None) -> ArchiveManifest:
        text = b"".join(self.read_document(_MANIFEST)).decode(errors="replace")
        members = _parse(text)
        signature = members.get("signature")
        try:
            manifest = _read_manifest(members)
        except (KeyError, TypeError, ValueError) as error:
            raise ArchiveUnusable("The manifest is not one that is written here.") from error
        statement = _write_statement(manifest)
        if canonical_json.dumps({**json.loads(statement), "signature": signature}) != text:
            raise ArchiveUnusable("The manifest has something that does not belong there.")
        if keyring is not None:
            _check_signature(manifest, statement, signature, keyring)
        return manifest

    def _check_document(self, name: str, file: Mapping[str, Any]) -> int:
        digest, size = hashlib.sha256(), 0
        for chunk in self.read_document(name):
            digest.update(chunk)
            size += len(chunk)
        value = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        if (value, size) != (str(file.get("digest")).rstrip("="), file.get("size")):
            raise ArchiveUnusable(f"{name} is not what its letter says.")
        return size


def name_document(letter: LetterRows, number: int) -> str:
    """Name a document in the file: by its letter, and its number there from 1."""
    return f"documents/{letter.message_id}/{number}"


def _check_signature(
    manifest: ArchiveManifest, statement: str, signature: Any, keyring: keys.Keys
) -> None:
    if manifest.signer is None:
        raise ArchiveUnusable("Nobody signed the file.")
    try:
        keys.verify(keyring, manifest.signer, statement, str(signature))
    except (keys.UnknownKey, keys.BadSignature) as error:
        raise ArchiveUnusable(str(error)) from error


def _make_members(letter: LetterRows) -> dict[str, Any]:
    return {
        "message": dict(letter.message),
        # Where another registry keeps a document is no business of this one's.
        "attachments": [
            {name: value for name, value in each.items() if name != "blob_key"}
            for each in letter.attachments
        ],
        "sent": letter.sender_row and dict(letter.sender_row),
    }


def _read_letter(line: bytes) -> LetterRows:
    match _parse(line.decode(errors="replace")):
        case {
            "message": {"message_id": str()} as message,
            "attachments": [*files],
            "sent": None | {} as sender_row,
        } if all(isinstance(each, dict) for each in files):
            letter = LetterRows(message=message, attachments=files, sender_row=sender_row)
            try:
                _ = letter.message_id
            except ValueError as error:
                raise ArchiveUnusable("A letter has an id that is none.") from error
            return letter
    raise ArchiveUnusable("A line of the letters is not one that is written here.")


def _write_statement(manifest: ArchiveManifest) -> str:
    return canonical_json.dumps(
        {
            "format": _FORMAT,
            "ebox": manifest.ebox.key,
            "made_at": manifest.made_at,
            "letters": manifest.letters,
            "documents": manifest.documents,
            "size": manifest.size,
            "letters_sha256": manifest.letters_digest,
            "key": manifest.signer,
        }
    )


def _read_manifest(members: Mapping[str, Any]) -> ArchiveManifest:
    if members["format"] != _FORMAT:
        raise ValueError(members["format"])
    return ArchiveManifest(
        ebox=Ebox.from_key(members["ebox"]),
        made_at=members["made_at"],
        letters=int(members["letters"]),
        documents=int(members["documents"]),
        size=int(members["size"]),
        letters_digest=str(members["letters_sha256"]),
        signer=members["key"],
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArchiveUnusable("The file has lines that are not JSON.") from error
    if not isinstance(members, dict):
        raise ArchiveUnusable("The file has lines that are not objects in JSON.")
    return members
