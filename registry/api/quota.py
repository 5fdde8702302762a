"""Quota: what a client may ask for in a minute, weighed by what it costs."""

import hashlib
import hmac
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

from registry.domain.access import Caller
from registry.domain.errors import TooManyRequests

WINDOW: Final = 60  # seconds

# What an operation weighs beside its one as a request.
COSTLY: Final = 4  # a search, a page far behind, statistics
BROADCAST: Final = 9


class SharedCounts(Protocol):
    """A count for all processes; None when nobody can be asked for it now."""

    def add(self, key: str, weight: int, window: int) -> int | None:
        """Add to the count of this window, and give what it is."""
        ...


class MinuteCounts:
    """The counts of this process; every minute begins an empty one, so that memory is bounded."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def add(self, key: str, weight: int, window: int) -> int:
        """Add to the count of this window, and give what it is."""
        with self._lock:
            if (minute := int(time.time() // window)) != self._minute:
                self._minute = minute
                self._counts.clear()
            self._counts[key] += weight
            return self._counts[key]


@dataclass(frozen=True)
class Quota:
    """Counts by client and by the enterprise or person that it acts for; `limit` 0 counts nothing.

    A fresh token is no fresh quota. With `shared` counts, all processes count together; without,
    or while those are away, each has its share of the limit, for one of `processes`.
    """

    limit: int
    processes: int = 1
    secret: bytes = b""  # keys the names of clients: nobody learns a number from a count
    shared: SharedCounts | None = None
    _own: MinuteCounts = field(default_factory=MinuteCounts)

    def spend(self, caller: Caller, weight: int = 1) -> None:
        """Count a request; raises `TooManyRequests` when the minute's quota is used up."""
        if not self.limit:
            return
        key = self.name(caller)
        limit, count = self.limit, None
        if self.shared is not None:
            count = self.shared.add(key, weight, WINDOW)
        if count is None:
            limit = max(1, self.limit // self.processes)
            count = self._own.add(key, weight, WINDOW)
        if count > limit:
            # Rounded up: a client that obeys must not come back in the minute that it has used up.
            raise TooManyRequests(self.limit, int(WINDOW - time.time() % WINDOW) + 1)

    def name(self, caller: Caller) -> str:
        """Name the client and whom it acts for, in a way that tells neither."""
        owner = caller.enterprise or caller.person
        text = f"{caller.client_id}\0{owner.digits if owner else ''}"
        return hmac.digest(self.secret, text.encode(), hashlib.sha256).hex()
