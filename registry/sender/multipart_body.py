"""A publication's body: a multipart stream of documents from disk, the message at its end."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import orjson

from registry.domain.attachments import DIGEST_METHOD

CHUNK: Final = 256 * 1024  # bytes

_LINE: Final = b"\r\n"
_UNKNOWN_DIGEST: Final = "=" * 43  # as long as any SHA-256 in base64url without padding


class Unreadable(Exception):
    """A document cannot be read, or changes while it is; the text does not name it."""


@dataclass(frozen=True)
class DocumentFile:
    """A file to be sent as one part; `size` in bytes is what it has when the sending begins."""

    part: str
    path: Path = field(repr=False)
    media_type: str
    size: int


class Body:
    """A multipart/form-data body: the documents, then the message with their digests.

    The message goes last, so that a document is read once (contract 4.10). `watch` is told how
    many bytes of documents have gone. Iterating raises `Unreadable`.
    """

    def __init__(
        self,
        message: Mapping[str, Any],
        documents: Sequence[DocumentFile],
        watch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._message, self._documents, self._watch = message, documents, watch
        self._boundary = uuid4().hex
        self.content_type = f"multipart/form-data; boundary={self._boundary}"
        self.size = sum(document.size for document in documents)

    def __len__(self) -> int:
        unknown = {document.part: _UNKNOWN_DIGEST for document in self._documents}
        around = sum(len(self._head(document)) + len(_LINE) for document in self._documents)
        return around + self.size + len(self._tail(unknown))

    def __iter__(self) -> Iterator[bytes]:
        digests: dict[str, str] = {}
        count = 0
        for document in self._documents:
            yield self._head(document)
            digest = sha256()
            for chunk in _read_chunks(document):
                digest.update(chunk)
                yield chunk
                count += len(chunk)
                self._watch(count)
            yield _LINE
            digests[document.part] = urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        yield self._tail(digests)

    def _head(self, document: DocumentFile) -> bytes:
        return (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="{_quote(document.part)}"; '
            f'filename="{file_name(document.path.name)}"\r\n'
            f"Content-Type: {document.media_type}\r\n\r\n"
        ).encode()

    def _tail(self, digests: Mapping[str, str]) -> bytes:
        head = (
            f"--{self._boundary}\r\n"
            'Content-Disposition: form-data; name="messageToPublish"\r\n'
            "Content-Type: application/json\r\n\r\n"
        )
        message = orjson.dumps(_with_digests(self._message, digests))
        return head.encode() + message + f"\r\n--{self._boundary}--\r\n".encode()


def file_name(name: str) -> str:
    """Make a file name fit for a header: percent-encoded unless it is plain (contract 4.9).

    More is encoded than must be: whether a name in ISO-8859-1 arrives whole depends on the
    receiver, and a plain `%` would be taken for encoding.
    """
    is_plain = name.isascii() and name.isprintable() and not set(name) & set('%"\\')
    return name if is_plain else quote(name.encode(errors="surrogateescape"), safe="!~*'()")


def _quote(part: str) -> str:
    """Quote the name of a part as browsers do (HTML living standard, multipart/form-data)."""
    return part.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _with_digests(message: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """Give every attachment of the message that has no digest the one of its bytes."""
    if not digests:
        return dict(message)
    attachments = [
        {
            "digest": {
                "digestValue": digests[attachment["httpPartName"]],
                "digestMethod": DIGEST_METHOD,
            },
            **attachment,
        }
        for attachment in message["attachments"]
    ]
    return {**message, "attachments": attachments}


def _read_chunks(document: DocumentFile) -> Iterator[bytes]:
    remaining = document.size
    try:
        with document.path.open("rb", buffering=0) as file:
            while chunk := file.read(min(CHUNK, remaining + 1)):  # one more, to see it grow
                remaining -= len(chunk)
                if remaining < 0:
                    break
                yield chunk
    except OSError as error:
        raise Unreadable(f"A document cannot be read: {error.strerror}.") from None
    if remaining:
        raise Unreadable("A document changed while it was being sent.")
