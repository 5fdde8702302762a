"""The twin of the S3 store for unit tests: a dictionary with the same promises."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from registry.blobs import Retention
from registry.domain.errors import DocumentAltered, DocumentUnavailable


@dataclass(frozen=True)
class MemoryBlob:
    """An opened document that is all there."""

    content: bytes

    def __iter__(self) -> Iterator[bytes]:
        """The document as one chunk."""
        yield self.content

    def close(self) -> None:
        """There is nothing to give back."""


@dataclass
class MemoryVersion:
    """A version of a document, to be kept until an instant; content None marks a deletion."""

    content: bytes | None
    until: datetime | None = None
    is_held: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)

    def is_locked(self, now: datetime) -> bool:
        """Tell if it must be kept."""
        return self.is_held or (self.until is not None and self.until > now)


@dataclass(frozen=True)
class MemoryBlobs:
    """Documents in a dictionary, the versions of each in a list; the last is the one read."""

    versions: dict[str, list[MemoryVersion]] = field(default_factory=dict)
    retention: Retention | None = None
    is_versioned: bool = False
    now: Callable[[], datetime] = field(default=partial(datetime.now, UTC))

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        make_metadata: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Store all chunks, or nothing."""
        content = b"".join(chunks)
        until = self.retention.until(self.now()) if self.retention else None
        self._add(key, MemoryVersion(content, until, metadata=make_metadata()))

    def open(self, key: str, first: int, last: int, *, size: int | None = None) -> MemoryBlob:
        """Bytes `first` to `last`."""
        content = self._current(key).content
        if content is None or last >= len(content) or (last < first and content):
            raise DocumentUnavailable
        if size is not None and len(content) != size:
            raise DocumentAltered
        return MemoryBlob(content[first : last + 1])

    def sign(self, key: str, size: int) -> str:
        """Name the key, which nobody can fetch."""
        content = self._current(key).content
        if content is None or len(content) != size:
            raise DocumentUnavailable
        return f"/{key}?"

    def erase(self, key: str) -> bool:
        """The oldest version first."""
        versions = self.versions.get(key, [])
        while versions:
            # the newest stays to be read until all before it may go, as in S3
            if versions[0].is_locked(self.now()):
                return False
            del versions[0]
        return True

    def hold(self, key: str, *, is_held: bool) -> None:
        """The version that is read, if there is one."""
        version = self._current(key)
        if self.retention and version.content is not None:
            version.is_held = is_held

    def check(self) -> None:
        """A dictionary can always be reached."""

    def keys(self, prefix: str, before: datetime) -> Iterator[str]:  # noqa: ARG002 - all are old
        """The keys; a dictionary does not know since when."""
        for key in list(self.versions):
            if key.startswith(prefix) and self._current(key).content is not None:
                yield key

    def list_unfinished(self, prefix: str, before: datetime) -> Iterator[str]:  # noqa: ARG002 - none
        """None: a dictionary takes a document whole."""
        yield from ()

    def abort_uploads(self, prefix: str, before: datetime) -> Iterator[str]:  # noqa: ARG002 - none
        """None: a dictionary takes a document whole."""
        yield from ()

    def _current(self, key: str) -> MemoryVersion:
        return next(reversed(self.versions.get(key, [])), MemoryVersion(None))

    def _add(self, key: str, version: MemoryVersion) -> None:
        versions = self.versions.setdefault(key, [])
        if self.retention is None and not self.is_versioned:
            versions.clear()
        versions.append(version)
