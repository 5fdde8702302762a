"""Documents of which the first bytes are there, before anybody is promised the rest."""

from collections.abc import Iterator
from dataclasses import dataclass

from registry.blobs import Blob


@dataclass(frozen=True)
class BegunBlob:
    """A document whose first chunk has been read."""

    blob: Blob
    first: bytes
    rest: Iterator[bytes]

    def __iter__(self) -> Iterator[bytes]:
        """The first chunk, and the rest as it is read; raises what the store does."""
        if self.first:
            yield self.first
        yield from self.rest

    def close(self) -> None:
        """Give the connection back."""
        self.blob.close()


def begin(blob: Blob) -> BegunBlob:
    """Read the first chunk, so that a store that breaks off before it is an error yet.

    Raises what the store does; the blob is closed then.
    """
    chunks = iter(blob)
    try:
        return BegunBlob(blob, next(chunks, b""), chunks)
    except BaseException:
        blob.close()
        raise
