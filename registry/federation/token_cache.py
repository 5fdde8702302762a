"""Recent answers of introspection, so that not every request asks for one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from cachetools import LRUCache

from registry.domain.access import Caller
from registry.domain.errors import TokenExpired, TokenInvalid
from registry.federation.token_claims import TokenOutcome


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds that an answer may be used: by reads, by writes, and when it is a refusal."""

    reads: float = 30
    writes: float = 0
    refusals: float = 5


@dataclass(frozen=True, slots=True)
class _Entry:
    outcome: TokenOutcome
    asked_at: datetime  # before the question: the answer may be as old as that


class TokenCache:
    """Answers by the SHA-256 of their token; threads share it. `now` is aware UTC.

    Callers and refusals are kept apart, at most `size` of each: garbage pushes out only garbage.
    """

    def __init__(self, lifetimes: Lifetimes, size: int, now: Callable[[], datetime]) -> None:
        self.lifetimes, self._now = lifetimes, now
        self._lock = Lock()
        self._callers: LRUCache[str, _Entry] = LRUCache(size)
        self._refusals: LRUCache[str, _Entry] = LRUCache(size)

    def recall(self, key: str, *, fresh: bool) -> TokenOutcome | None:
        """Find the answer, if it is young enough for a read, or with `fresh` for a write.

        A caller whose token has expired since is `TokenExpired`.
        """
        with self._lock:
            entry = self._callers.get(key) or self._refusals.get(key)
        if entry is None:
            return None
        now, outcome = self._now(), entry.outcome
        longest = self.lifetimes.reads
        if not isinstance(outcome, Caller):
            longest = self.lifetimes.refusals
        if fresh:
            longest = min(longest, self.lifetimes.writes)
        # an age below zero: the clock was set back, and says nothing
        if not timedelta(0) <= now - entry.asked_at < timedelta(seconds=longest):
            return None
        if isinstance(outcome, Caller) and outcome.expires_at and outcome.expires_at <= now:
            return TokenExpired
        return outcome

    def keep(self, key: str, outcome: TokenOutcome, asked_at: datetime) -> None:
        """Remember a caller or a refusal, unless a question asked later was answered before."""
        if not isinstance(outcome, Caller) and outcome not in (TokenInvalid, TokenExpired):
            return
        with self._lock:
            entry = self._callers.get(key) or self._refusals.get(key)
            if entry is not None and entry.asked_at > asked_at:
                return
            self._callers.pop(key, None)
            self._refusals.pop(key, None)
            entries = self._callers if isinstance(outcome, Caller) else self._refusals
            entries[key] = _Entry(outcome, asked_at)
