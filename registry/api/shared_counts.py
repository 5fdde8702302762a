"""Counts in Valkey or Redis, which all processes share, for as long as it answers."""

import time
from threading import Lock
from typing import Final, cast

import structlog
from limits.errors import StorageError
from limits.storage import storage_from_string

_TIMEOUT: Final = 0.1  # seconds for an answer, or for a connection
_PAUSE: Final = 5.0  # seconds without a question after one that was not answered
_log = structlog.get_logger("registry.quota")


class StoredCounts:
    """Counts that a store keeps, named by a URL (`redis://` or `rediss://`).

    A store that is away costs one request in some seconds a tenth of one; nobody is refused for it.
    """

    def __init__(self, url: str) -> None:
        # connects when it is first asked, in each process by itself
        self._storage = storage_from_string(
            url,
            wrap_exceptions=True,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
        )
        self._lock = Lock()
        self._away_until = 0.0  # by the monotonic clock
        self._is_away = False

    def add(self, key: str, weight: int, window: int) -> int | None:
        """Add to the count of this window, and give what it is; None while the store is away."""
        if not self._may_ask():
            return None
        try:
            place = f"quota:{int(time.time() // window)}:{key}"
            count = self._storage.incr(place, window, weight)
        except StorageError as error:
            self._note(error)
            return None
        self._note(None)
        return cast(int, count)  # of a storage that is not asynchronous

    def _may_ask(self) -> bool:
        """Tell if it is time to ask; while the store is away, of one caller in each pause."""
        if not self._is_away:
            return True
        with self._lock:
            if time.monotonic() < self._away_until:
                return False
            self._away_until = time.monotonic() + _PAUSE
            return True

    def _note(self, error: StorageError | None) -> None:
        """Note that the store is away, or back, and log what changes."""
        if (error is not None) is self._is_away:
            return
        with self._lock:
            self._is_away = error is not None
            self._away_until = time.monotonic() + _PAUSE
        if error is not None:
            cause = type(error.storage_error).__name__  # its words may repeat the password
            _log.warning("the quota is counted by each process: its store is away", cause=cause)
        else:
            _log.info("the quota is counted by its store again")
