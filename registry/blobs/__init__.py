"""Bytes: documents under keys that never change hands, put and streamed in bounded memory."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol


class Blob(Protocol):
    """An opened document: iterate its chunks, and close it whatever happens."""

    def __iter__(self) -> Iterator[bytes]:
        """The chunks; raises `Unavailable` when the store breaks off."""
        ...

    def close(self) -> None:
        """Give the connection back; what was not read is not fetched."""
        ...


class BlobStore(Protocol):
    """Where documents live. Every failure to answer is `Unavailable`."""

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Store all chunks under `key`, or nothing when iterating them raises."""
        ...

    def open(self, key: str, first: int, last: int) -> Blob:
        """Start reading bytes `first` to `last`, both included.

        Raises `DocumentUnavailable` when the document is not there or is shorter than that:
        a row promised it.
        """
        ...

    def delete(self, key: str) -> None:
        """Forget the document; no matter if it was not there."""
        ...

    def check(self) -> None:
        """Raise `Unavailable` unless the store can be reached."""
        ...

    def keys(self, prefix: str, before: datetime) -> Iterator[str]:
        """The keys of documents stored before an instant (aware), in pages."""
        ...

    def unfinished(self, prefix: str, before: datetime) -> Iterator[str]:
        """The keys of uploads begun before an instant and never finished."""
        ...

    def abort_uploads(self, prefix: str, before: datetime) -> Iterator[str]:
        """End these; their keys."""
        ...
