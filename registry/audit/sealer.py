"""Sealing the audit trail: what was written can be shown to be all, and as it was (contract 4.20).

A seal is made and kept in one transaction, then stored where nobody can take it back, then known to
be stored. Wherever that breaks off, the next round goes on with the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.store import entries, seals
from registry.audit.trail import bodies, canonical_json, keys
from registry.audit.trail.chain import Copy
from registry.audit.trail.retention import legal_until
from registry.audit.trail.seal import Seal, following, sign, text
from registry.blobs import SealStore
from registry.domain.errors import Unavailable
from registry.store.schema import Transactions

MOST: Final = 5_000  # entries under a seal, unless one transaction has more
_HEARTBEAT: Final = timedelta(hours=1)
_AHEAD: Final = 12  # months that are there before their time


def packed(seal: str, signature: str) -> bytes:
    """What is stored: an object in JSON with the text of the seal and its signature."""
    return canonical_json.dumps({"seal": seal, "signature": signature}).encode()


def unpacked(number: int, content: bytes) -> Copy:
    """The seal that was stored under this number; raises `bodies.Broken` for what is none."""
    try:
        read = bodies.members(content.decode())
    except UnicodeDecodeError as error:
        raise bodies.Broken("The seal is not UTF-8.") from error
    return Copy(number, bodies.member(read, "seal", str), bodies.member(read, "signature", str))


@dataclass(frozen=True)
class Sealer:
    """Seals the entries of transactions that are over, in the order of these.

    Any number of sealers may be at it: the database lets one at a time make a seal, and what
    several store is the same.
    """

    transactions: Transactions
    store: SealStore
    private_key: Ed25519PrivateKey
    now: Callable[[], datetime]
    most: int = MOST

    def seal(self) -> int:
        """Seal one batch; how many entries, 0 when there are none.

        After an hour without any, a seal says just that. Raises `Unavailable` when the bucket does
        not answer: then the seal that was made waits, and entries go on waiting behind it.
        """
        self.store_prepared()
        count = self.prepare()
        if count is None:
            return 0
        self.store_prepared()
        return count

    def prepare(self) -> int | None:
        """Make the next seal and keep it here; the number of its entries, None when none is due."""
        with self.transactions() as connection:
            return self._prepared(connection) if seals.begin(connection) else None

    def store_prepared(self) -> None:
        """Store the seals that are kept here and not known to be stored, the oldest first."""
        with self.transactions() as connection:
            waiting = seals.unstored(connection)
        for row in waiting:
            self.store.put(row.seal_number, packed(row.seal, row.signature), row.kept_until)
            with self.transactions() as connection:
                seals.mark_stored(connection, row.seal_number, self.now())

    def age(self) -> float:
        """For how many seconds the oldest entry has been waiting for a stored seal; 0 for none."""
        with self.transactions() as connection:
            oldest = entries.oldest_unsealed(connection)
        return max(0.0, (self.now() - oldest).total_seconds()) if oldest else 0.0

    def prepare_months(self) -> int:
        """Have the partitions of a year to come; how many were missing."""
        with self.transactions() as connection:
            return entries.prepare_months(connection, _AHEAD)

    def drop_expired(self, now: datetime) -> int:
        """Drop the months whose ten years are over at `now`; how many.

        The database asks its own clock, and whether each entry lies under a stored seal.
        """
        with self.transactions() as connection:
            months = entries.expired_months(connection, now)
        for month in months:
            with self.transactions() as connection:
                entries.drop_month(connection, month)
        return len(months)

    def _prepared(self, connection: Connection) -> int | None:
        span = seals.sealable(connection)
        if span.is_waiting:  # another is at it
            return None
        if span.horizon < span.first_xid:
            raise Unavailable(
                f"The database counts transactions from {span.horizon}, though those before"
                f" {span.first_xid} are sealed: it is not the one that this trail was written in."
            )
        until = entries.end_of(connection, span.first_xid, span.horizon, limit=self.most)
        records = entries.entries_between(connection, span.first_xid, until)
        newest = entries.newest_between(connection, span.first_xid, until)
        sealed_at = max(self.now(), span.sealed_at or datetime.min.replace(tzinfo=UTC))
        is_due = span.sealed_at is not None and sealed_at - span.sealed_at >= _HEARTBEAT
        if newest is None and not is_due:
            return None
        seal = following(
            span.previous,
            records,
            until,
            sealed_at=sealed_at,
            key_id=keys.key_id(self.private_key.public_key()),
        )
        kept_until = legal_until(max(sealed_at, newest or sealed_at))
        self._keep(connection, seal, kept_until)
        return seal.count

    def _keep(self, connection: Connection, seal: Seal, kept_until: datetime) -> None:
        written = text(seal)
        columns: dict[str, Any] = {
            "seal_number": seal.number,
            "seal": written,
            "signature": sign(self.private_key, written),
            "until_xid": seal.until_xid,
            "sealed_at": seal.sealed_at,
            "kept_until": kept_until,
        }
        if not seals.add(connection, **columns):
            raise Unavailable(f"Somebody else has made the seal {seal.number}.")
