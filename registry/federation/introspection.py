"""Introspection: the authorization server says who is behind a bearer token."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final

from registry.domain.access import Caller
from registry.domain.errors import TokenInvalid, TooManyRequests, Unavailable, UpstreamInvalid
from registry.federation.address_limit import AddressLimit
from registry.federation.token_cache import TokenCache
from registry.federation.token_claims import (
    Claims,
    TokenOutcome,
    TokenRequirements,
    judge_claims,
)
from registry.http_client.access_token import BEARER, OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Upstream
from registry.http_client.deadlines import Deadline
from registry.http_client.seats import Seats
from registry.http_client.threads import SingleFlight
from registry.telemetry.watch import Watch

Observe = Callable[[str, float], None]

_LATELY: Final = 20.0  # seconds for which a call that went well proves that the next will
_VERDICTS: Final = (UpstreamInvalid,)
_LONGEST: Final = 8192  # characters of a token; header limits leave no room for more
_JOINING: Final = 0.5  # of the timeout: how long others wait for a question about the same token


def _observe_nothing(_how: str, _seconds: float) -> None: ...


@dataclass(frozen=True, repr=False, eq=False)
class Introspection:
    """The authorization server's word on tokens (RFC 7662, contract 3.1), remembered for a while.

    No token pays for another. What the server says of one, however odd, is no failure of the
    server: only the lack of an answer (no connection, too late, 5xx, 429) is evidence for the
    breaker, and about one token it counts once, since the token may be what the server stumbles
    over. Who waits for it has a seat, and a token that was never a caller's takes none away from
    those that were; the address that brings it may be wrong so often.

    `observe` is told how each question ended, 'hit', 'active', 'refused', 'limited', 'unavailable'
    or 'invalid', and the seconds it took. `now` is aware UTC.
    """

    url: str
    own: OwnToken
    upstream: Upstream
    requirements: TokenRequirements
    cache: TokenCache
    breaker: Breaker
    seats: Seats
    address_limit: AddressLimit
    now: Callable[[], datetime]
    observe: Observe = _observe_nothing
    _flights: SingleFlight[TokenOutcome] = field(init=False, default_factory=SingleFlight)

    def caller(self, token: str, address: str = "", *, fresh: bool = False) -> Caller:
        """Find the party behind the token, which was brought from an address.

        `fresh` asks again where a cached answer is for reads only. Raises `TokenInvalid` and
        `TokenExpired`; `TooManyRequests` when the address brought too many tokens that are none;
        `Unavailable` when the server does not answer and `UpstreamInvalid` when its answer cannot
        be right, within about the upstream's timeout.
        """
        began = time.perf_counter()
        try:
            outcome, how = self._answer(token, address, fresh=fresh)
        except TooManyRequests:
            self.observe("limited", time.perf_counter() - began)
            raise
        self.observe(how, time.perf_counter() - began)
        if isinstance(outcome, Caller):
            return outcome
        raise outcome

    def read_claims(self, token: str) -> Claims:
        """Ask for the claims of a token; nothing is remembered or judged, and nobody waits behind.

        Raises `TokenInvalid` for a text that can be no token, `Unavailable`, `UpstreamInvalid`.
        """
        if not _can_be_token(token):
            raise TokenInvalid
        return self.upstream.within(partial(self._ask_claims, token))

    def check(self) -> None:
        """Raise `Unavailable` unless a token can be looked at.

        Where no call showed it lately, we have a token of our own looked at.
        """
        if self.breaker.was_well(_LATELY):
            return
        try:
            with self.breaker.guard(answers=_VERDICTS), Watch(self.upstream.name, "check"):
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

    def _answer(self, token: str, address: str, *, fresh: bool) -> tuple[TokenOutcome, str]:
        # what can be no token is not sent: it would only provoke the server
        if not _can_be_token(token):
            return TokenInvalid, "refused"
        key = sha256(token.encode()).hexdigest()
        if (remembered_outcome := self.cache.recall(key, fresh=fresh)) is not None:
            return remembered_outcome, "hit"
        is_known = self.cache.knows(key)
        may_wait = is_known or self.address_limit.check(address)
        ask = partial(self._ask, token, key, None if is_known else address, fresh=fresh)
        try:
            with self.seats.take(key, is_known=is_known, may_wait=may_wait):
                outcome = self._share(key, ask, fresh=fresh)
        except Unavailable:  # no seat, or waited long enough for another's question
            outcome = Unavailable
        return outcome, _name_outcome(outcome)

    def _share(self, key: str, ask: Callable[[], TokenOutcome], *, fresh: bool) -> TokenOutcome:
        timeout = _JOINING * self.upstream.timeout
        if not fresh:
            return self._flights.share(key, ask, timeout=timeout)
        # an answer to a question that was asked before this write is too old for it
        return self._flights.share(key, ask, timeout=timeout, within=self.cache.lifetimes.writes)

    def _ask(self, token: str, key: str, strangers: str | None, *, fresh: bool) -> TokenOutcome:
        """Ask, unless that was done meanwhile; `strangers` is the address of an unknown token."""
        # the flight before this one may have landed since we looked
        if (remembered_outcome := self.cache.recall(key, fresh=fresh)) is not None:
            return remembered_outcome
        try:
            with self.breaker.guard(key, answers=_VERDICTS):
                return self._hear(token, key, strangers)
        except (Unavailable, UpstreamInvalid) as error:
            return type(error)  # not the error itself: its traceback holds the token

    def _hear(self, token: str, key: str, strangers: str | None) -> TokenOutcome:
        """Ask, remember what came of it, and count it.

        Raises `Unavailable` without an answer, `UpstreamInvalid` for one that cannot be right.
        """
        asked_at = self.now()
        try:
            with Watch(self.upstream.name, "introspect"):
                outcome = self.upstream.within(partial(self._introspect, token, key))
        except (Unavailable, UpstreamInvalid) as error:
            outcome = type(error)
        self.cache.keep(key, outcome, asked_at)
        if strangers is not None:
            self.address_limit.count(strangers, outcome)
        if outcome in (Unavailable, UpstreamInvalid):
            raise outcome  # anew: the first error leads to the token
        return outcome

    def _introspect_own(self, deadline: Deadline) -> TokenOutcome:
        return self._introspect(self.own.value(), "", deadline)

    def _introspect(self, token: str, key: str, deadline: Deadline) -> TokenOutcome:
        claims = self._ask_claims(token, deadline)
        return judge_claims(claims, key, self.requirements, self.now())

    def _ask_claims(self, token: str, deadline: Deadline) -> Claims:
        answer = self.own.call_with_token(
            lambda bearer: self.upstream.post(self.url, bearer, {"token": token}, deadline)
        )
        return answer.members()


def _can_be_token(text: str) -> bool:
    return len(text) <= _LONGEST and BEARER.fullmatch(text) is not None


def _name_outcome(outcome: TokenOutcome) -> str:
    if isinstance(outcome, Caller):
        return "active"
    if issubclass(outcome, Unavailable):
        return "unavailable"
    return "invalid" if issubclass(outcome, UpstreamInvalid) else "refused"
