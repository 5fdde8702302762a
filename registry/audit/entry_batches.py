"""Entries of many seals, read together: a question for each would cost more than its answer."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection

from registry.audit.store import reads
from registry.audit.trail.seal import Seal
from registry.audit.trail.verify import Comparison, compare_entries

_SEALS: Final = 100  # that are read together
_ENTRIES: Final = 2_000  # likewise, unless one seal has more

Tag = TypeVar("Tag")


def compare_in_batches(
    connection: Connection, seals: Iterable[tuple[Tag, Seal | None]]
) -> Iterator[tuple[Tag, Comparison | None]]:
    """Compare seals with their entries, in their order; None is one that is not compared."""
    batch: list[tuple[Tag, Seal | None]] = []
    entries, until = 0, None
    for tag, seal in seals:
        # What lies between two seals that do not follow each other could be any number.
        is_apart = seal is not None and until is not None and seal.first_xid != until
        if is_apart or entries >= _ENTRIES or len(batch) >= _SEALS:
            yield from _compare(connection, batch)
            batch, entries, until = [], 0, None
        batch.append((tag, seal))
        if seal is not None:
            entries, until = entries + seal.count, seal.until_xid
    yield from _compare(connection, batch)


def _compare(
    connection: Connection, batch: Sequence[tuple[Tag, Seal | None]]
) -> Iterator[tuple[Tag, Comparison | None]]:
    seals = [seal for _, seal in batch if seal is not None]
    first = min((seal.first_xid for seal in seals), default=0)
    until = max((seal.until_xid for seal in seals), default=0)
    xids, records = reads.read_placed_records(connection, first, until) if seals else ([], [])
    for tag, seal in batch:
        if seal is None:
            yield tag, None
            continue
        begin, end = bisect_left(xids, seal.first_xid), bisect_left(xids, seal.until_xid)
        yield tag, compare_entries(seal, records[begin:end])
