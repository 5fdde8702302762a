"""The sealer: puts entries under seals, so that none can be changed unseen (contract 4.20).

A seal is made and kept in one transaction, then stored where nobody can take it back, then known to
be stored. Wherever that breaks off, the next round goes on with the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from registry.audit.legal_period import find_legal_end
from registry.audit.store import entries, seals
from registry.audit.store.seal_bucket import SealStore, is_signed, pack_seal
from registry.audit.trail import keys
from registry.audit.trail.seal import Seal, make_next_seal, sign_seal, write_seal
from registry.domain.errors import Unavailable
from registry.store.transactions import Transactions

MOST: Final = 5_000  # entries under a seal, unless one transaction has more
_HEARTBEAT: Final = timedelta(hours=1)
_RESUME: Final = "If a backup was restored, see `registry audit resume --help`."
_AHEAD: Final = 12  # months whose partitions are made before their time


@dataclass(frozen=True)
class Sealer:
    """Seals the entries of transactions that are over, in the order of these.

    A seal is due when `most` entries wait for it, or one has waited for as long as `every`. Any
    number of sealers may work at once: the database lets one at a time make a seal, and several
    that store it store the same bytes. `former_keys` are those that signed before this one.
    """

    transactions: Transactions
    store: SealStore
    private_key: Ed25519PrivateKey
    now: Callable[[], datetime]
    most: int = MOST
    every: timedelta = timedelta()
    former_keys: keys.Keys = field(default_factory=dict)

    def seal(self) -> int:
        """Seal one batch; returns the number of entries, 0 when no seal is due.

        After an hour without any, a seal says just that. Raises `Unavailable` when the bucket does
        not answer: then the seal that was made waits, and entries go on waiting behind it.
        """
        # A sealer that died may have left a seal, which must be stored before the next is made.
        self.store_prepared()
        count = self.prepare()
        if count is None:
            return 0
        self.store_prepared()
        return count

    def prepare(self) -> int | None:
        """Make the next seal and keep it here; returns its number of entries, None without one."""
        with self.transactions() as connection:
            if not seals.lock_sealing(connection):
                return None
            return self._make_seal(connection)

    def store_prepared(self) -> None:
        """Store the seals that are kept here and not known to be stored, the oldest first."""
        with self.transactions() as connection:
            unstored_seals = seals.read_unstored_seals(connection)
        for row in unstored_seals:
            # Outside any transaction: the bucket may take its time.
            content = pack_seal(row.seal, row.signature)
            self._refuse_second_history(row.seal_number, content)
            self.store.put(row.seal_number, content, row.kept_until)
            with self.transactions() as connection:
                seals.mark_stored(connection, row.seal_number, self.now())

    def _refuse_second_history(self, number: int, content: bytes) -> None:
        """Raise `Unavailable` where the bucket has another seal of ours under this number.

        What anybody else has put there does not count: he could stop sealing with it for ever.
        """
        keyring = keys.make_keyring([self.private_key.public_key(), *self.former_keys.values()])
        for stored_object in self.store.read(number):
            if stored_object.content != content and is_signed(
                keyring, number, stored_object.content
            ):
                raise Unavailable(
                    f"The seal bucket has another seal {number} already, which is signed: this"
                    f" database is older than its trail. {_RESUME}"
                )

    def measure_age(self) -> float:
        """Measure the wait of the oldest entry for a stored seal, in seconds; 0 for none."""
        with self.transactions() as connection:
            entries.walk_by_transaction(connection)
            oldest = entries.find_oldest_unsealed(connection)
        return max(0.0, (self.now() - oldest).total_seconds()) if oldest else 0.0

    def prepare_months(self) -> int:
        """Make the partitions of a year to come; returns the number of those that were missing."""
        with self.transactions() as connection:
            return entries.prepare_months(connection, _AHEAD)

    def drop_expired(self, now: datetime) -> int:
        """Drop the months whose ten years are over at `now`; returns their number.

        The database asks its own clock, and checks that each entry lies under a stored seal.
        """
        with self.transactions() as connection:
            months = entries.find_expired_months(connection, now)
        for month in months:
            with self.transactions() as connection:
                entries.drop_month(connection, month)
        return len(months)

    def _make_seal(self, connection: Connection) -> int | None:
        span = seals.read_sealable_span(connection)
        if span.is_waiting:  # another sealer is about to store it
            return None
        if span.horizon < span.first_xid:
            raise Unavailable(
                f"The database counts transactions from {span.horizon}, though those before"
                f" {span.first_xid} are sealed: it is not the one that this trail was written in."
                f" {_RESUME}"
            )
        entries.walk_by_transaction(connection)
        if not self._is_due(connection, span):
            return None
        until = entries.find_batch_end(connection, span.first_xid, span.horizon, limit=self.most)
        records = entries.stream_records(connection, span.first_xid, until)
        newest = entries.find_newest(connection, span.first_xid, until)
        # A clock that goes back must not make a seal older than the one before it.
        sealed_at = max(self.now(), span.sealed_at or datetime.min.replace(tzinfo=UTC))
        seal = make_next_seal(
            span.previous,
            records,
            until,
            sealed_at=sealed_at,
            key_id=keys.compute_key_id(self.private_key.public_key()),
        )
        # By the database's clock too, should ours be wrong: a seal outlives its entries.
        kept_until = find_legal_end(max(sealed_at, newest or sealed_at))
        self._keep(connection, seal, kept_until)
        return seal.count

    def _is_due(self, connection: Connection, span: seals.SealableSpan) -> bool:
        waiting = entries.measure_waiting(connection, span.first_xid, span.horizon, self.most)
        if waiting.seconds is None:
            # A quiet hour is sealed too, but nothing comes before the first entry.
            return span.sealed_at is not None and self.now() - span.sealed_at >= _HEARTBEAT
        return waiting.entries >= self.most or waiting.seconds >= self.every.total_seconds()

    def _keep(self, connection: Connection, seal: Seal, kept_until: datetime) -> None:
        text = write_seal(seal)
        row = seals.SealRow(
            seal_number=seal.number,
            seal=text,
            signature=sign_seal(self.private_key, text),
            until_xid=seal.until_xid,
            sealed_at=seal.sealed_at,
            kept_until=kept_until,
        )
        if not seals.add_seal(connection, row):
            raise Unavailable(f"Somebody else has made the seal {seal.number}.")
