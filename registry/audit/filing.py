"""Filing: what is under stored seals is put where it is found by message, token and e-Box."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from registry.audit.store import entries, reads, sheaves
from registry.audit.store.sheaves import Sheaf
from registry.audit.terms import list_terms
from registry.audit.trail.entry import Record
from registry.store.transactions import Transactions

_BATCH: Final = 5_000  # entries that are filed in one transaction, unless one of theirs has more
# Entries of a sheaf: fewer take more room, more take longer to look through for the one.
_SHEAF: Final = 16

_Placed = tuple[int, Record]


@dataclass(frozen=True)
class TrailFiling:
    """Files entries after they are sealed, so that no call pays for how they are looked up.

    Also those of a trail that is older than its sheaves, from the first entry on. Any number of
    workers may file at once: the database lets one at a time do it.
    """

    transactions: Transactions

    def file(self) -> int:
        """File the next batch; returns the number of entries, 0 when there is nothing to file."""
        with self.transactions() as connection:
            if not sheaves.lock_filing(connection):
                return 0
            entries.walk_by_transaction(connection)
            first = sheaves.read_filed_until(connection)
            horizon = reads.read_sealed_until(connection)
            if first >= horizon:
                return 0
            until = entries.find_batch_end(connection, first, horizon, limit=_BATCH)
            xids, records = reads.read_placed_records(connection, first, until)
            batch = list(zip(xids, records, strict=True))
            sheaves.add_sheaves(connection, list(bind_sheaves(batch, first, until)))
            return len(batch)


def bind_sheaves(batch: Sequence[_Placed], first_xid: int, until_xid: int) -> Iterator[Sheaf]:
    """Bind entries, which come by transaction, into sheaves that cover the range without a gap.

    No transaction is divided.
    """
    begin = first_xid
    sheaf: list[Record] = []
    for xid, members in groupby(batch, itemgetter(0)):
        if len(sheaf) >= _SHEAF:
            yield _bind(sheaf, begin, xid)
            begin, sheaf = xid, []
        sheaf += [record for _, record in members]
    if sheaf:
        yield _bind(sheaf, begin, until_xid)


def _bind(records: Sequence[Record], first_xid: int, until_xid: int) -> Sheaf:
    times = [record.recorded_at for record in records if record.recorded_at is not None]
    terms = {term for record in records for term in list_terms(record)}
    return Sheaf(max(times), min(times), first_xid, until_xid, sorted(terms))
