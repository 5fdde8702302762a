"""When the authorization server is asked again, and when it is not."""

import pytest

from registry.domain.access import Caller
from registry.domain.errors import TokenExpired, TokenInvalid, Unavailable, UpstreamInvalid
from registry.federation.token_cache import Lifetimes, TokenCache

TOKEN = "the-token"


def refused(asking, token=TOKEN, **how):
    with pytest.raises(TokenInvalid):
        asking.caller(token, **how)


@pytest.fixture
def calls(federation):
    return lambda: federation.calls["/introspect"]


def test_two_hundred_threads_with_one_new_token_make_one_call(
    federation, introspection, at_once, calls
):
    federation.knows(TOKEN)
    federation.on["/introspect"] = federation.slowly(0.1, federation.introspects)
    asking = introspection(timeout=20)

    got = at_once(200, lambda _: asking.caller(TOKEN))

    assert {type(one) for one in got} == {Caller}
    assert federation.calls == {"/token": 1, "/introspect": 1}


class Overtaken(TokenCache):
    """Someone else's question is asked and answered just after we looked for its answer."""

    def __init__(self, *args):
        super().__init__(*args)
        self.overtake = lambda: None

    def recall(self, key, *, fresh):
        known = super().recall(key, fresh=fresh)
        overtake, self.overtake = self.overtake, lambda: None
        overtake()
        return known


def test_whoever_just_missed_an_answer_does_not_ask_again(federation, introspection, clock, calls):
    cache = Overtaken(Lifetimes(), 10, clock)
    asking = introspection(cache=cache)
    federation.knows(TOKEN)
    cache.overtake = lambda: asking.caller(TOKEN)

    asking.caller(TOKEN)

    assert calls() == 1


def test_two_hundred_threads_with_one_refused_token_make_one_call(
    federation, introspection, at_once, calls
):
    federation.on["/introspect"] = federation.slowly(0.1, federation.introspects)
    asking = introspection(timeout=20)

    got = at_once(200, lambda _: asking.caller(TOKEN))

    assert {type(one) for one in got} == {TokenInvalid}
    assert len({id(one) for one in got}) == 200  # no error is raised in two threads
    assert calls() == 1


def test_many_tokens_at_once_are_all_answered(federation, introspection, at_once, calls):
    for number in range(100):
        federation.knows(f"token-{number}", client_id=f"client-{number}")
    asking = introspection(timeout=20, workers=4)

    got = at_once(100, lambda n: asking.caller(f"token-{n}").client_id)

    assert got == [f"client-{number}" for number in range(100)]
    assert calls() == 100


def test_a_read_is_served_from_memory_for_a_while(federation, introspection, clock, calls):
    asking = introspection()
    first = asking.caller(federation.knows(TOKEN))
    del federation.claims[TOKEN]

    clock.advance(29.9)
    assert asking.caller(TOKEN) == first
    assert calls() == 1
    clock.advance(0.1)
    refused(asking)
    assert calls() == 2


def test_a_token_is_not_remembered_beyond_its_end(federation, introspection, clock, calls):
    federation.knows(TOKEN, exp=int(clock.seconds()) + 10)
    asking = introspection()
    asking.caller(TOKEN)

    clock.advance(9.9)
    assert asking.caller(TOKEN)
    clock.advance(0.1)
    with pytest.raises(TokenExpired):
        asking.caller(TOKEN)
    assert calls() == 1
    clock.advance(30)
    with pytest.raises(TokenExpired):
        asking.caller(TOKEN)


def test_a_write_asks_again(federation, introspection, calls):
    asking = introspection()
    asking.caller(federation.knows(TOKEN))
    asking.caller(TOKEN, fresh=True)
    assert calls() == 2

    del federation.claims[TOKEN]
    refused(asking, fresh=True)
    refused(asking)  # and what a write learned, reads know
    assert calls() == 3
    asking.caller(federation.knows(TOKEN), fresh=True)
    asking.caller(TOKEN)
    assert calls() == 4


def test_writes_may_be_allowed_a_memory_of_their_own(federation, introspection, clock, calls):
    asking = introspection(lifetimes=Lifetimes(reads=30, writes=2, refusals=5))
    asking.caller(federation.knows(TOKEN))

    clock.advance(1.9)
    asking.caller(TOKEN, fresh=True)
    assert calls() == 1
    clock.advance(0.1)
    asking.caller(TOKEN, fresh=True)
    assert calls() == 2


def test_a_write_does_not_join_a_question_asked_before_it(
    federation, introspection, at_once, calls
):
    federation.knows(TOKEN)
    held = federation.on["/introspect"] = federation.held(federation.introspects)
    asking = introspection(timeout=20)

    def work(number):
        if number == 0:
            return asking.caller(TOKEN)
        held.asked.wait(10)
        federation.on["/introspect"] = federation.says({"active": False})
        try:
            return asking.caller(TOKEN, fresh=True)
        finally:
            held.go_on.set()

    reader, writer = at_once(2, work)

    assert isinstance(writer, TokenInvalid)
    assert isinstance(reader, Caller)
    assert calls() == 2


def test_an_answer_to_an_older_question_does_not_replace_a_newer_one(
    federation, introspection, clock, at_once, calls
):
    federation.knows(TOKEN)
    held = federation.on["/introspect"] = federation.held(federation.introspects)
    asking = introspection(timeout=20)

    def work(number):
        if number == 0:
            return asking.caller(TOKEN)
        held.asked.wait(10)
        clock.advance(1)
        federation.on["/introspect"] = federation.says({"active": False})
        try:
            return asking.caller(TOKEN, fresh=True)
        finally:
            held.go_on.set()

    at_once(2, work)

    refused(asking)
    assert calls() == 2


def test_writes_may_share_a_question_where_they_are_allowed_a_memory(
    federation, introspection, at_once, calls
):
    federation.knows(TOKEN)
    federation.on["/introspect"] = federation.slowly(0.2, federation.introspects)
    asking = introspection(timeout=20, lifetimes=Lifetimes(writes=60))

    at_once(20, lambda _: asking.caller(TOKEN, fresh=True))

    assert calls() == 1


def test_a_refusal_is_remembered_briefly(federation, introspection, clock, calls):
    asking = introspection()
    refused(asking)
    federation.knows(TOKEN)

    clock.advance(4.9)
    refused(asking)
    assert calls() == 1
    clock.advance(0.1)
    assert asking.caller(TOKEN)
    assert calls() == 2


def test_a_write_does_not_trust_an_old_refusal_either(federation, introspection):
    asking = introspection()
    refused(asking)
    federation.knows(TOKEN)

    assert asking.caller(TOKEN, fresh=True)
    assert asking.caller(TOKEN)


def test_garbage_pushes_out_no_caller_and_is_bounded(federation, introspection, calls):
    asking = introspection(size=5)
    asking.caller(federation.knows(TOKEN))

    for number in range(50):
        refused(asking, f"garbage-{number}")
    assert calls() == 51
    asking.caller(TOKEN)
    refused(asking, "garbage-49")
    assert calls() == 51
    refused(asking, "garbage-0")
    assert calls() == 52


def test_callers_are_bounded_and_the_least_used_goes_first(federation, introspection, calls):
    asking = introspection(size=2)
    for token in ("a", "b", "a", "c", "a"):
        asking.caller(federation.knows(token))
    assert calls() == 3

    asking.caller("b")
    assert calls() == 4


FAILURES = {
    "ill": (b"", 503),
    "busy": (b"", 429),
    "refusing": (b"", 400),
    "refusing us": (b"", 401),
    "a page": (b"<html>", 200),
    "odd": ({"active": True, "client_id": 7}, 200),
    "too long": (b" " * 70_000, 200),
    "elsewhere": (b"", 302),
}


@pytest.mark.parametrize("fresh", [False, True], ids=["read", "write"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_remembered_for_a_moment(
    federation, introspection, clock, calls, failure, fresh
):
    federation.on["/introspect"] = federation.says(*FAILURES[failure], Location="/elsewhere")
    asking = introspection()
    with pytest.raises((Unavailable, UpstreamInvalid)) as first:
        asking.caller(TOKEN, fresh=fresh)
    before = calls()

    federation.on["/introspect"] = federation.introspects
    clock.advance(1.9)
    with pytest.raises(first.type):
        asking.caller(federation.knows(TOKEN), fresh=fresh)
    assert calls() == before
    clock.advance(0.1)
    assert asking.caller(TOKEN, fresh=fresh)


def test_a_failure_of_a_write_leaves_reads_what_they_remember(federation, introspection, clock):
    asking = introspection()
    asking.caller(federation.knows(TOKEN))
    federation.on["/introspect"] = federation.says(b"<html>")
    with pytest.raises(UpstreamInvalid):
        asking.caller(TOKEN, fresh=True)

    assert asking.caller(TOKEN)
    clock.advance(30)
    federation.on["/introspect"] = federation.introspects
    assert asking.caller(TOKEN)


def test_failures_that_are_remembered_are_bounded(federation, introspection, calls):
    federation.on["/introspect"] = federation.says(b"<html>")
    asking = introspection(size=5)
    for number in [*range(50), 49, 0]:
        with pytest.raises(UpstreamInvalid):
            asking.caller(f"token-{number}")

    assert calls() == 51


def test_what_is_remembered_outlives_an_outage_for_reads_only(federation, introspection):
    asking = introspection()
    asking.caller(federation.knows(TOKEN))
    federation.on["/introspect"] = federation.says(b"", 503)

    assert asking.caller(TOKEN)
    with pytest.raises(Unavailable):
        asking.caller(TOKEN, fresh=True)


def test_a_clock_that_was_set_back_makes_no_memory_young(federation, introspection, clock, calls):
    asking = introspection()
    asking.caller(federation.knows(TOKEN))

    clock.advance(-3600)
    asking.caller(TOKEN)

    assert calls() == 2


def test_memory_can_be_switched_off(federation, introspection, calls):
    asking = introspection(lifetimes=Lifetimes(reads=0, refusals=0))
    for _ in range(2):
        asking.caller(federation.knows(TOKEN))
        refused(asking, "unknown")

    assert calls() == 4
