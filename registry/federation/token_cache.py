"""Recent answers of introspection, so that not every request asks for one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from cachetools import LRUCache

from registry.domain.access import Caller
from registry.domain.errors import TokenExpired, Unavailable, UpstreamInvalid
from registry.federation.token_claims import TokenOutcome


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds that an answer may be used: by reads, by writes, and when it is a refusal.

    `doubts`: seconds after a question that had no answer, or none that can be right.
    """

    reads: float = 30
    writes: float = 0
    refusals: float = 5
    doubts: float = 2


@dataclass(frozen=True, slots=True)
class _Entry:
    outcome: TokenOutcome
    asked_at: datetime  # before the question: the answer may be as old as that; a doubt's: after


class TokenCache:
    """Answers by the SHA-256 of their token; threads share it. `now` is aware UTC.

    Callers, refusals and doubts are kept apart, at most `size` of each: garbage pushes out only
    garbage.
    """

    def __init__(self, lifetimes: Lifetimes, size: int, now: Callable[[], datetime]) -> None:
        self.lifetimes, self._now = lifetimes, now
        self._lock = Lock()
        self._callers: LRUCache[str, _Entry] = LRUCache(size)
        self._refusals: LRUCache[str, _Entry] = LRUCache(size)
        self._doubts: LRUCache[str, _Entry] = LRUCache(size)

    def knows(self, key: str) -> bool:
        """Tell if the last answer about this token, however old, was its caller."""
        with self._lock:
            return key in self._callers

    def recall(self, key: str, *, fresh: bool) -> TokenOutcome | None:
        """Find the answer, if it is young enough for a read, or with `fresh` for a write.

        A caller whose token has expired since is `TokenExpired`. A doubt opens nothing, and holds
        for writes too: a token that the server stumbles over is not asked about again and again.
        """
        with self._lock:
            entry = self._callers.get(key) or self._refusals.get(key)
            doubt = self._doubts.get(key)
        now, lifetimes = self._now(), self.lifetimes
        if entry is not None:
            is_caller = isinstance(entry.outcome, Caller)
            longest = lifetimes.reads if is_caller else lifetimes.refusals
            if _is_young(entry, now, min(longest, lifetimes.writes) if fresh else longest):
                return _find_outcome(entry, now)
        if doubt is not None and _is_young(doubt, now, lifetimes.doubts):
            return doubt.outcome
        return None

    def keep(self, key: str, outcome: TokenOutcome, asked_at: datetime) -> None:
        """Remember an answer, unless a question asked later was answered before.

        The lack of one is a doubt; an answer that is remembered goes on being used beside it.
        """
        with self._lock:
            if outcome in (Unavailable, UpstreamInvalid):
                self._doubts[key] = _Entry(outcome, self._now())
                return
            entry = self._callers.get(key) or self._refusals.get(key)
            if entry is not None and entry.asked_at > asked_at:
                return
            self._callers.pop(key, None)
            self._refusals.pop(key, None)
            self._doubts.pop(key, None)
            entries = self._callers if isinstance(outcome, Caller) else self._refusals
            entries[key] = _Entry(outcome, asked_at)


def _is_young(entry: _Entry, now: datetime, seconds: float) -> bool:
    # an age below zero: the clock was set back, and says nothing
    return timedelta(0) <= now - entry.asked_at < timedelta(seconds=seconds)


def _find_outcome(entry: _Entry, now: datetime) -> TokenOutcome:
    outcome = entry.outcome
    if isinstance(outcome, Caller) and outcome.expires_at and outcome.expires_at <= now:
        return TokenExpired
    return outcome
