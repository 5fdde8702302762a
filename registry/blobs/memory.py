"""The twin of the S3 store for unit tests: a dictionary with the same promises."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from registry.domain.errors import DocumentUnavailable


@dataclass(frozen=True)
class MemoryBlob:
    """An opened document that is all there."""

    content: bytes

    def __iter__(self) -> Iterator[bytes]:
        """The document as one chunk."""
        yield self.content

    def close(self) -> None:
        """There is nothing to give back."""


@dataclass(frozen=True)
class MemoryBlobs:
    """Documents in a dictionary."""

    contents: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Store all chunks, or nothing."""
        self.contents[key] = b"".join(chunks)

    def open(self, key: str, first: int, last: int) -> MemoryBlob:
        """Bytes `first` to `last`."""
        content = self.contents.get(key)
        if content is None or last >= len(content) or (last < first and content):
            raise DocumentUnavailable
        return MemoryBlob(content[first : last + 1])

    def delete(self, key: str) -> None:
        """Forget the document."""
        self.contents.pop(key, None)

    def check(self) -> None:
        """A dictionary can always be reached."""

    def keys(self, prefix: str, before: datetime) -> Iterator[str]:  # noqa: ARG002 - all are old
        """The keys; a dictionary does not know since when."""
        yield from [key for key in self.contents if key.startswith(prefix)]

    def unfinished(self, prefix: str, before: datetime) -> Iterator[str]:  # noqa: ARG002 - none
        """None: a dictionary takes a document whole."""
        yield from ()

    def abort_uploads(self, prefix: str, before: datetime) -> Iterator[str]:  # noqa: ARG002 - none
        """None: a dictionary takes a document whole."""
        yield from ()
