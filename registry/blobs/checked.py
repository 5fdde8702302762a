"""Documents held against their digest on the way out: the store may have changed a bit."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from registry.blobs import Blob, BlobStore
from registry.domain.errors import DocumentAltered

SMALL: Final = 256 * 1024  # bytes that are looked at before any is handed out


@dataclass(frozen=True)
class CheckedBlob:
    """A whole document whose last chunk is kept back until the digest is known to be right."""

    blob: Blob
    digest: str

    def __iter__(self) -> Iterator[bytes]:
        """The chunks; raises `DocumentAltered` in place of the last one, or what the store does."""
        sha256, last = hashlib.sha256(), b""
        for chunk in self.blob:
            if last:
                yield last
            sha256.update(chunk)
            last = chunk
        digest = base64.urlsafe_b64encode(sha256.digest()).decode()
        if digest.rstrip("=") != self.digest.rstrip("="):
            raise DocumentAltered
        if last:
            yield last

    def close(self) -> None:
        """Give the connection back."""
        self.blob.close()


@dataclass(frozen=True)
class SmallBlob:
    """A document that has been read, and found right."""

    content: bytes

    def __iter__(self) -> Iterator[bytes]:
        """The document at once."""
        yield self.content

    def close(self) -> None:
        """The connection has been given back."""


def check_digest(blob: Blob, digest: str, size: int) -> Blob:
    """Have a whole document held against its SHA-256 (base64url) while it is read.

    A small one is read here, so that nothing has been said when it turns out to be another. Raises
    `DocumentAltered` then, and what the store raises; the blob is closed.
    """
    checked_blob = CheckedBlob(blob, digest)
    if size > SMALL:
        return checked_blob
    try:
        return SmallBlob(b"".join(checked_blob))
    finally:
        blob.close()


def verify_document(
    store: BlobStore,
    key: str,
    digest: str,
    size: int,
    keep_pace: Callable[[int], None] = lambda _: None,
) -> None:
    """Read a whole document, and hand out nothing of it: it has this size, and this digest.

    `keep_pace` gets the bytes of each chunk that was read, and may wait, or raise. Raises
    `DocumentUnavailable`, `DocumentAltered`, and `Unavailable`.
    """
    blob = store.open(key, 0, size - 1, size=size)
    try:
        for chunk in CheckedBlob(blob, digest):
            keep_pace(len(chunk))
    finally:
        blob.close()
