"""What happens about one token, or about floods of them, costs no other caller anything."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest

from registry.domain.access import Caller
from registry.domain.errors import (
    RegistryError,
    TokenInvalid,
    TooManyRequests,
    Unavailable,
    UpstreamInvalid,
)
from registry.federation.address_limit import AddressLimit
from registry.federation.token_cache import Lifetimes, TokenCache
from registry.http_client.breaker import Breaker

ODD, HERE, THERE = "odd-token", "192.0.2.1", "192.0.2.2"


def says_of_odd(federation, script):
    """Answer so about the odd token, and as ever about all others."""

    def answer(request):
        (script if request.form["token"] == ODD else federation.introspects)(request)

    federation.on["/introspect"] = answer


VERDICTS = {
    "a page": (b"<html>", 200),
    "nothing": (b"", 200),
    "a number for a client": ({"active": True, "client_id": 7}, 200),
    "a text for an end": ({"active": True, "client_id": "c", "exp": "soon"}, 200),
    "no active": ({}, 200),
    "too long": (b" " * 70_000, 200),
    "a redirect": (b"", 302),
    **{f"status {status}": (b"", status) for status in (201, 400, 401, 403, 404, 418, 431)},
    **{f"status {status}": (b"", status) for status in (429, 500, 502, 503, 504)},
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_an_odd_answer_about_one_token_is_nobody_elses(federation, introspection, clock, verdict):
    script = federation.says(*VERDICTS[verdict], Location="/elsewhere")
    says_of_odd(federation, script)
    asking = introspection(failures=2)

    for number in range(10):
        with pytest.raises((UpstreamInvalid, Unavailable)):
            asking.caller(ODD, HERE, fresh=bool(number % 2))
        clock.advance(2)
    assert asking.caller(federation.knows("token"), HERE)
    assert asking.caller("token", HERE, fresh=True)


@pytest.mark.parametrize("outage", ["resets", "hangs_up", "stops_halfway", "is_silent"])
def test_no_answer_about_one_token_is_nobody_elses(federation, introspection, clock, outage):
    says_of_odd(federation, getattr(federation, outage))
    asking = introspection(timeout=0.2, failures=2)

    for _ in range(4):
        with pytest.raises(Unavailable):
            asking.caller(ODD)
        clock.advance(2)
    assert asking.caller(federation.knows("token"))


def test_odd_answers_about_many_tokens_are_no_failure_of_the_server(federation, introspection):
    federation.on["/introspect"] = federation.says(b"<html>")
    asking = introspection(failures=2)
    for number in range(10):
        with pytest.raises(UpstreamInvalid):
            asking.caller(f"token-{number}")

    federation.on["/introspect"] = federation.introspects
    assert asking.caller(federation.knows("token"))


def test_no_answer_about_several_tokens_is_one(federation, introspection):
    federation.on["/introspect"] = federation.resets
    asking = introspection(failures=3)
    for number in range(3):
        with pytest.raises(Unavailable):
            asking.caller(f"token-{number}")
    calls = federation.calls["/introspect"]

    federation.on["/introspect"] = federation.introspects
    with pytest.raises(Unavailable):
        asking.caller(federation.knows("token"))
    assert federation.calls["/introspect"] == calls


def test_an_odd_token_does_not_keep_the_breaker_open(federation, introspection, clock):
    """It is the first to ask again, again and again."""
    federation.on["/introspect"] = federation.says(b"", 503)
    asking = introspection(breaker=Breaker(2, 1, clock.seconds))
    for token in (ODD, "token"):
        with pytest.raises(Unavailable):
            asking.caller(token)

    says_of_odd(federation, federation.says(b"", 503))
    federation.knows("token")
    for _ in range(4):  # seconds
        clock.advance(1)
        with pytest.raises(Unavailable):
            asking.caller(ODD)
        with suppress(Unavailable):
            asking.caller("token")
    assert asking.caller("token")


def slow_callers(asking, tokens, **how):
    """Threads that wait for these tokens; they end with the federation."""

    def ask(token):
        with suppress(RegistryError):
            asking.caller(token, **how)

    threads = [threading.Thread(target=ask, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    return threads


@pytest.fixture
def crowd():
    """Starts threads that ask, and waits for them at the end."""
    threads = []

    def start(asking, tokens, **how):
        threads.extend(slow_callers(asking, tokens, **how))

    yield start
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("fresh", [False, True], ids=["reads", "writes"])
def test_a_slow_answer_about_one_token_takes_not_all_seats(federation, introspection, crowd, fresh):
    says_of_odd(federation, federation.is_silent)
    asking = introspection(timeout=1.5, seats=4)

    crowd(asking, [ODD] * 20, fresh=fresh)
    for number in range(20):
        assert asking.caller(federation.knows(f"token-{number}"), fresh=fresh)
        time.sleep(0.02)


def test_unknown_tokens_take_no_seat_of_known_callers(federation, introspection, crowd, clock):
    """Cached callers are served, known ones are asked about, unknown ones are sent away at once."""
    asking = introspection(timeout=1.5, seats=4)
    for known in ("cached", "old"):
        asking.caller(federation.knows(known))
    held = federation.on["/introspect"] = federation.held(federation.introspects)
    crowd(asking, [f"random-{number}" for number in range(3)])
    held.asked.wait(10)
    while federation.calls["/introspect"] < 5:
        time.sleep(0.01)

    federation.on["/introspect"] = federation.introspects
    began = time.monotonic()
    for number in range(200):
        with pytest.raises(Unavailable):
            asking.caller(f"more-{number}")
        assert asking.caller("cached")
    assert asking.caller("old", fresh=True)
    assert time.monotonic() - began < 1.4  # before those who have seats leave them
    assert federation.calls["/introspect"] == 6
    held.go_on.set()


def test_a_flood_from_one_address_is_stopped(federation, introspection):
    asking = introspection(address_limit=AddressLimit(20))
    asking.caller(federation.knows("known"), HERE)
    ends = {TokenInvalid: 0, TooManyRequests: 0}

    for number in range(897):
        with pytest.raises((TokenInvalid, TooManyRequests)) as refusal:
            asking.caller(f"random-{number}", HERE)
        ends[refusal.type] += 1

    assert ends == {TokenInvalid: 20, TooManyRequests: 877}
    assert federation.calls["/introspect"] == 21
    assert asking.caller("known", HERE)
    assert asking.caller("known", HERE, fresh=True)  # nor are known callers of that address
    assert asking.caller(federation.knows("new"), THERE)


def test_a_portal_brings_as_many_good_tokens_as_it_likes(federation, introspection, at_once):
    asking = introspection(address_limit=AddressLimit(5))
    for number in range(100):
        federation.knows(f"person-{number}")

    got = at_once(100, lambda n: asking.caller(f"person-{n}", HERE))

    assert {type(one) for one in got} == {Caller}


def test_an_outage_is_not_held_against_the_portal_when_it_is_over(federation, introspection, clock):
    asking = introspection(address_limit=AddressLimit(5))
    for script in (federation.says(b"<html>"), federation.says(b"", 503)):
        federation.on["/introspect"] = script
        for number in range(30):
            with pytest.raises((UpstreamInvalid, Unavailable)):
                asking.caller(f"person-{number}", HERE)
        clock.advance(2)

    federation.on["/introspect"] = federation.introspects
    for number in range(30):
        assert asking.caller(federation.knows(f"person-{number}"), HERE)


def test_a_token_that_was_a_callers_is_not_counted_when_it_ends(federation, introspection, clock):
    asking = introspection(address_limit=AddressLimit(5))
    for number in range(20):
        asking.caller(federation.knows(f"person-{number}"), HERE)
    federation.claims.clear()
    clock.advance(60)
    for number in range(20):
        with pytest.raises(TokenInvalid):
            asking.caller(f"person-{number}", HERE)

    assert asking.caller(federation.knows("another"), HERE)


def test_what_is_limited_can_be_observed(introspection):
    seen = []
    asking = introspection(
        address_limit=AddressLimit(1), observe=lambda how, _seconds: seen.append(how)
    )
    for number in range(2):
        with pytest.raises((TokenInvalid, TooManyRequests)):
            asking.caller(f"random-{number}", HERE)

    assert seen == ["refused", "limited"]


@pytest.mark.parametrize("verdict", ["a page", "status 400", "status 503"])
def test_one_token_does_not_make_the_registry_unfit(federation, introspection, verdict):
    asking = introspection()
    says_of_odd(federation, federation.says(*VERDICTS[verdict]))
    with pytest.raises((UpstreamInvalid, Unavailable)):
        asking.caller(ODD)

    asking.check()


@pytest.mark.parametrize("verdict", ["a page", "status 400", "status 503"])
def test_odd_answers_about_all_tokens_make_it_unfit(federation, introspection, verdict):
    asking = introspection()
    asking.caller(federation.knows("token"))
    asking.check()
    federation.on["/introspect"] = federation.says(*VERDICTS[verdict])
    with pytest.raises((UpstreamInvalid, Unavailable)):
        asking.caller("another")

    with pytest.raises(Unavailable):
        asking.check()


@pytest.mark.process
@pytest.mark.parametrize("outage", ["is_ill", "resets", "is_silent"])
def test_all_are_answered_within_five_seconds_after_it_heals(
    federation, introspection, at_once, outage
):
    outages = {"is_ill": federation.says(b"", 503)}
    federation.on["/introspect"] = outages.get(outage) or getattr(federation, outage)
    cache = TokenCache(Lifetimes(), 100, now)
    asking = introspection(timeout=3, breaker=Breaker(5, 1), seats=7, cache=cache, now=now)
    heals_at = time.monotonic() + 4
    # By a clock of its own: a caller who waits for the silent service would heal it too late.
    heal = partial(federation.on.update, {"/introspect": federation.introspects})
    threading.Timer(4, heal).start()

    def ask(number):
        """Ask until there is an answer: the moment when it came, and the longest wait."""
        longest, token = 0.0, federation.knows(f"token-{number}", exp=now().timestamp() + 60)
        while True:
            began = time.monotonic()
            with suppress(Unavailable):
                asking.caller(token, HERE)
                return time.monotonic(), longest
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.02)

    answers = at_once(10, ask)

    assert heals_at < min(answered_at for answered_at, _ in answers)
    # a second more each: the machine may be busy with other tests
    assert max(answered_at for answered_at, _ in answers) < heals_at + 5 + 1
    assert max(longest for _, longest in answers) < 3.25 + 1 + 1


def now():
    return datetime.now(UTC)
