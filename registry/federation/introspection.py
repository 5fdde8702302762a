"""Bearer token to caller: the authorization server is asked, seldom and never for long."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final

from registry.domain.access import Caller
from registry.domain.errors import TokenInvalid, Unavailable, UpstreamInvalid
from registry.federation.token_cache import Memory
from registry.federation.token_claims import Expected, Outcome, verdict
from registry.http_client.access_token import BEARER, OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import SLACK, Upstream, lied
from registry.http_client.threads import SingleFlight

Observe = Callable[[str, float], None]

_LONGEST: Final = 8192  # characters of a token; header limits leave no room for more


def _unseen(_how: str, _seconds: float) -> None: ...


@dataclass(frozen=True, repr=False, eq=False)
class Introspection:
    """Asks the authorization server who is behind a token (RFC 7662, contract 3.1).

    `observe` is told how each question ended, 'hit', 'active', 'refused', 'unavailable' or
    'invalid', and the seconds it took. `now` is aware UTC.
    """

    url: str
    own: OwnToken
    upstream: Upstream
    expected: Expected
    memory: Memory
    breaker: Breaker
    now: Callable[[], datetime]
    observe: Observe = _unseen
    _flights: SingleFlight[Outcome] = field(init=False, default_factory=SingleFlight)

    def caller(self, token: str, *, fresh: bool = False) -> Caller:
        """The party behind the token; `fresh` asks again where a cached answer is for reads only.

        Raises `TokenInvalid` and `TokenExpired`; `Unavailable` when the server does not answer
        and `UpstreamInvalid` when its answer cannot be right, within about the upstream's timeout.
        """
        began = time.perf_counter()
        outcome, how = self._answer(token, fresh=fresh)
        self.observe(how, time.perf_counter() - began)
        if isinstance(outcome, Caller):
            return outcome
        raise outcome

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _answer(self, token: str, *, fresh: bool) -> tuple[Outcome, str]:
        # what can be no token is not sent: it would only provoke the server
        if len(token) > _LONGEST or not BEARER.fullmatch(token):
            return TokenInvalid, "refused"
        key = sha256(token.encode()).hexdigest()
        if (known := self.memory.recall(key, fresh=fresh)) is not None:
            return known, "hit"
        ask = partial(self._asked, token, key, fresh=fresh)
        waiting = self.upstream.timeout + SLACK
        try:
            if fresh:
                allowed = self.memory.lifetimes.writes
                outcome = self._flights.share(key, ask, timeout=waiting, within=allowed)
            else:
                outcome = self._flights.share(key, ask, timeout=waiting)
        except Unavailable:  # waited long enough for another's question
            outcome = Unavailable
        return outcome, _named(outcome)

    def _asked(self, token: str, key: str, *, fresh: bool) -> Outcome:
        # the flight before this one may have landed since we looked
        if (known := self.memory.recall(key, fresh=fresh)) is not None:
            return known
        asked = self.now()
        try:
            with self.breaker.guard():
                outcome = self.upstream.within(partial(self._introspected, token, key))
        except (Unavailable, UpstreamInvalid) as error:
            return type(error)  # not the error itself: its traceback holds the token
        self.memory.keep(key, outcome, asked)
        return outcome

    def _introspected(self, token: str, key: str) -> Outcome:
        answer = self.own.spend(
            lambda bearer: self.upstream.post(self.url, bearer, {"token": token})
        )
        if answer.dislikes:
            # returned, not raised: no caller's odd token may open the breaker for all others
            return type(lied(answer.service, f"status {answer.status}"))
        return verdict(answer.members(), key, self.expected, self.now())


def _named(outcome: Outcome) -> str:
    if isinstance(outcome, Caller):
        return "active"
    if issubclass(outcome, Unavailable):
        return "unavailable"
    return "invalid" if issubclass(outcome, UpstreamInvalid) else "refused"
