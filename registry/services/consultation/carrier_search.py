"""Search for what messages carry, by hashes, for operators who may not read them."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.store.consultation import carriers
from registry.store.consultation.carriers import Carrier
from registry.store.transactions import Transactions


@dataclass(frozen=True)
class CarrierSearch:
    """Finds messages in all e-Boxes, the oldest first; a hash is the SHA-256 as bytes."""

    transactions: Transactions
    now: Callable[[], datetime]

    def find_by_digest(self, digest: bytes, limit: int) -> Sequence[Carrier]:
        """Find up to `limit` messages that have a document of this digest."""
        encoded_digest = base64.urlsafe_b64encode(digest).decode()
        with self.transactions() as connection:
            return carriers.find_by_digest(connection, encoded_digest, limit=limit)

    def find_by_subject(self, subject_hash: bytes, limit: int) -> Sequence[Carrier]:
        """Find up to `limit` messages whose subject, in one of its languages, has this hash."""
        with self.transactions() as connection:
            return carriers.find_by_subject(connection, subject_hash.hex(), limit=limit)
