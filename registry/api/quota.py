"""How many requests a token may make in a minute."""

import time
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from registry.domain.errors import TooManyRequests

_NAMESPACE: Final = "ebox-message-registry"


class Quota:
    """Counts requests by token hash; `limit` 0 counts nothing.

    With storage `memory://` each worker process counts for itself; a Redis or Valkey URL makes
    one count of them.
    """

    def __init__(self, limit: int, storage: str) -> None:
        self._limit = limit
        self._item = RateLimitItemPerMinute(limit, namespace=_NAMESPACE) if limit else None
        self._window = FixedWindowRateLimiter(storage_from_string(storage))

    def spend(self, token_hash: str) -> None:
        """Count one request; raises `TooManyRequests` when the minute's quota is used up."""
        if self._item is None or self._window.hit(self._item, token_hash):
            return
        reset = self._window.get_window_stats(self._item, token_hash).reset_time
        raise TooManyRequests(self._limit, max(1, round(reset - time.time())))
