"""Slots for costly requests: a few at a time of each client and each e-Box."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from registry.domain.errors import TooManyAtOnce

_RETRY_AFTER: Final = 1  # seconds


class CostlySlots:
    """Counts what is under way by key, at most `most` of each; 0 lets everything through."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    @contextmanager
    def hold(self, *keys: str) -> Iterator[None]:
        """Hold a slot of each key; raises `TooManyAtOnce` when one has none left."""
        with self._lock:
            if self._most and any(self._counts[key] >= self._most for key in keys):
                raise TooManyAtOnce(self._most, _RETRY_AFTER)
            self._counts.update(keys)
        try:
            yield
        finally:
            with self._lock:
                self._counts.subtract(keys)
                for key in keys:
                    if not self._counts[key]:
                        del self._counts[key]
