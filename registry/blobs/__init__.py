"""Bytes: documents under keys that never change hands, put and streamed in bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol


@dataclass(frozen=True)
class Retention:
    """Time for which the store itself refuses to part with a document (S3 Object Lock).

    GOVERNANCE may be lifted by who has the right, which the registry never uses; COMPLIANCE by
    nobody.
    """

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    days: int

    def until(self, now: datetime) -> datetime:
        """Compute the instant from which a document stored now may be erased."""
        return now + timedelta(days=self.days)


class Blob(Protocol):
    """An opened document: iterate its chunks, and close it whatever happens."""

    def __iter__(self) -> Iterator[bytes]:
        """Iterate the chunks; raises `Unavailable` when the store breaks off."""
        ...

    def close(self) -> None:
        """Give the connection back; what was not read is not fetched."""
        ...


class BlobStore(Protocol):
    """A store of documents. Every failure to answer is `Unavailable`."""

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        make_metadata: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Store all chunks under `key`, or nothing when iterating them raises.

        `make_metadata` is asked once, before the first byte goes out: of a small document all
        chunks have been iterated by then. It gives ASCII, less than 2 KB.
        Raises `DocumentNotStored` unless the store is known to have these very bytes.
        """
        ...

    def open(self, key: str, first: int, last: int, *, size: int | None = None) -> Blob:
        """Start reading bytes `first` to `last`, both included.

        Raises `DocumentUnavailable` when the document is not there or is shorter than that:
        a row promised it. Raises `DocumentAltered` when it is longer than `size`.
        """
        ...

    def sign(self, key: str, size: int) -> str:
        """Sign a path, with its query, by which a document can be fetched for a short while.

        Raises `DocumentUnavailable` when it is not there, or has another size.
        """
        ...

    def erase(self, key: str) -> bool:
        """Destroy every version of the document, so that nothing of it is left.

        False when the store must still keep it, for its retention or a hold: it can be read as
        before then. Whatever else keeps it is `Unavailable`, and may have ended older versions.
        """
        ...

    def hold(self, key: str, *, is_held: bool) -> None:
        """Put the document on legal hold, or lift it; no matter if it is not there.

        Does nothing where documents are stored without a retention.
        """
        ...

    def check(self) -> None:
        """Raise `Unavailable` unless the store can be reached, and can keep what it must."""
        ...

    def keys(self, prefix: str, before: datetime) -> Iterator[str]:
        """List the keys of documents stored before an instant (aware), in pages."""
        ...

    def list_unfinished(self, prefix: str, before: datetime) -> Iterator[str]:
        """List the keys of uploads begun before an instant and never finished."""
        ...

    def abort_uploads(self, prefix: str, before: datetime) -> Iterator[str]:
        """End these uploads, and list their keys."""
        ...
