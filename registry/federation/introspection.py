"""Introspection: the authorization server says who is behind a bearer token."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final

from registry.domain.access import Caller
from registry.domain.errors import TokenInvalid, Unavailable, UpstreamInvalid
from registry.federation.token_cache import TokenCache
from registry.federation.token_claims import TokenOutcome, TokenRequirements, judge_claims
from registry.http_client.access_token import BEARER, OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import SLACK, Upstream, report_invalid
from registry.http_client.deadlines import Deadline
from registry.http_client.threads import SingleFlight

Observe = Callable[[str, float], None]

_LATELY: Final = 20.0  # seconds for which a call that went well proves that the next will
_LONGEST: Final = 8192  # characters of a token; header limits leave no room for more


def _observe_nothing(_how: str, _seconds: float) -> None: ...


@dataclass(frozen=True, repr=False, eq=False)
class Introspection:
    """The authorization server's word on tokens (RFC 7662, contract 3.1), remembered for a while.

    `observe` is told how each question ended, 'hit', 'active', 'refused', 'unavailable' or
    'invalid', and the seconds it took. `now` is aware UTC.
    """

    url: str
    own: OwnToken
    upstream: Upstream
    requirements: TokenRequirements
    cache: TokenCache
    breaker: Breaker
    now: Callable[[], datetime]
    observe: Observe = _observe_nothing
    _flights: SingleFlight[TokenOutcome] = field(init=False, default_factory=SingleFlight)

    def caller(self, token: str, *, fresh: bool = False) -> Caller:
        """Find the party behind the token.

        `fresh` asks again where a cached answer is for reads only. Raises `TokenInvalid` and
        `TokenExpired`; `Unavailable` when the server does not answer and `UpstreamInvalid` when
        its answer cannot be right, within about the upstream's timeout.
        """
        began = time.perf_counter()
        outcome, how = self._answer(token, fresh=fresh)
        self.observe(how, time.perf_counter() - began)
        if isinstance(outcome, Caller):
            return outcome
        raise outcome

    def check(self) -> None:
        """Raise `Unavailable` unless a token can be looked at.

        Where no call showed it lately, we have a token of our own looked at.
        """
        if self.breaker.was_well(_LATELY):
            return
        try:
            with self.breaker.guard():
                outcome = self.upstream.within(self._introspect_own)
        except Unavailable as error:
            raise Unavailable("The authorization server does not answer.") from error
        except UpstreamInvalid:
            outcome = UpstreamInvalid
        if outcome is UpstreamInvalid:
            raise Unavailable("The authorization server does not answer as it should.")

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _answer(self, token: str, *, fresh: bool) -> tuple[TokenOutcome, str]:
        # what can be no token is not sent: it would only provoke the server
        if len(token) > _LONGEST or not BEARER.fullmatch(token):
            return TokenInvalid, "refused"
        key = sha256(token.encode()).hexdigest()
        if (remembered_outcome := self.cache.recall(key, fresh=fresh)) is not None:
            return remembered_outcome, "hit"
        ask = partial(self._ask, token, key, fresh=fresh)
        timeout = self.upstream.timeout + SLACK
        try:
            if fresh:
                # an answer to a question that was asked before this write is too old for it
                longest = self.cache.lifetimes.writes
                outcome = self._flights.share(key, ask, timeout=timeout, within=longest)
            else:
                outcome = self._flights.share(key, ask, timeout=timeout)
        except Unavailable:  # waited long enough for another's question
            outcome = Unavailable
        return outcome, _name_outcome(outcome)

    def _ask(self, token: str, key: str, *, fresh: bool) -> TokenOutcome:
        # the flight before this one may have landed since we looked
        if (remembered_outcome := self.cache.recall(key, fresh=fresh)) is not None:
            return remembered_outcome
        asked_at = self.now()
        try:
            with self.breaker.guard():
                outcome = self.upstream.within(partial(self._introspect, token, key))
        except (Unavailable, UpstreamInvalid) as error:
            return type(error)  # not the error itself: its traceback holds the token
        self.cache.keep(key, outcome, asked_at)
        return outcome

    def _introspect_own(self, deadline: Deadline) -> TokenOutcome:
        return self._introspect(self.own.value(), "", deadline)

    def _introspect(self, token: str, key: str, deadline: Deadline) -> TokenOutcome:
        answer = self.own.call_with_token(
            lambda bearer: self.upstream.post(self.url, bearer, {"token": token}, deadline)
        )
        if answer.is_refusal:
            # returned, not raised: no caller's odd token may open the breaker for all others
            return type(report_invalid(answer.service, f"status {answer.status}"))
        return judge_claims(answer.members(), key, self.requirements, self.now())


def _name_outcome(outcome: TokenOutcome) -> str:
    if isinstance(outcome, Caller):
        return "active"
    if issubclass(outcome, Unavailable):
        return "unavailable"
    return "invalid" if issubclass(outcome, UpstreamInvalid) else "refused"
