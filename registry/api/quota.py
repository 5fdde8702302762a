"""Quota: the number of requests that a token may make in a minute."""

import time
from collections import Counter
from threading import Lock

from registry.domain.errors import TooManyRequests

_WINDOW = 60  # seconds


class Quota:
    """Counts requests by token hash, minute by minute; `limit` 0 counts nothing.

    Each worker process counts for itself: the quota stops a client that runs wild, at no cost to
    the others, and is no ledger. Memory is bounded, since every minute begins an empty count.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def spend(self, token_hash: str) -> None:
        """Count one request; raises `TooManyRequests` when the minute's quota is used up."""
        if not self._limit:
            return
        now = time.time()
        with self._lock:
            if (minute := int(now // _WINDOW)) != self._minute:
                self._minute = minute
                self._counts.clear()
            self._counts[token_hash] += 1
            count = self._counts[token_hash]
        if count > self._limit:
            # Rounded up: a client that obeys must not come back in the minute that it has used up.
            raise TooManyRequests(self._limit, int(_WINDOW - now % _WINDOW) + 1)
