"""Our own access token: how it is asked for, kept and renewed."""

import threading
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.http_client.client import Answer


def asked(federation):
    return federation.requests[-1].form


@pytest.mark.parametrize(
    ("algorithm", "curve"), [("RS256", None), ("ES384", "P-384"), ("ES512", "P-521")]
)
def test_the_assertion_says_who_we_are_for_a_minute(
    federation, own, clock, rsa_key, algorithm, curve
):
    key = ECKey.generate_key(curve) if curve else rsa_key

    own(key=key, algorithm=algorithm).value()

    form = asked(federation)
    proof = jwt.decode(form.pop("client_assertion"), key, algorithms=[algorithm])
    now = int(clock.now.timestamp())
    assert len(proof.claims.pop("jti")) == 36
    assert proof.claims == {
        "iss": "our-client",
        "sub": "our-client",
        "aud": f"{federation.url}/token",
        "iat": now,
        "exp": now + 60,
    }
    assert proof.header == {"alg": algorithm, "typ": "JWT"}
    assert form == {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


def test_audience_lifetime_key_id_and_scope_are_settings(federation, own, rsa_key):
    own(audience="https://elsewhere", lifetime=90, key_id="key-1", scope="one two").value()

    proof = jwt.decode(asked(federation)["client_assertion"], rsa_key, algorithms=["RS256"])
    assert proof.claims["aud"] == "https://elsewhere"
    assert proof.claims["exp"] - proof.claims["iat"] == 90
    assert proof.header["kid"] == "key-1"
    assert asked(federation)["scope"] == "one two"


def test_no_assertion_is_used_twice(federation, own, clock):
    token = own()
    for _ in range(2):
        token.value()
        clock.advance(3600)

    assertions = [request.form["client_assertion"] for request in federation.requests]
    claims = [jwt.decode(a, token._identity.key, algorithms=["RS256"]).claims for a in assertions]
    assert claims[0]["jti"] != claims[1]["jti"]
    assert claims[1]["iat"] - claims[0]["iat"] == 3600


@pytest.mark.parametrize(("life", "kept"), [(3600, 2880), (60, 48), (30, 20), (12, 6), (1, 0.5)])
def test_a_token_is_renewed_before_it_expires(federation, own, clock, life, kept):
    federation.expires_in = life
    token = own()
    first = token.value()

    clock.advance(kept - 0.1)
    assert token.value() == first
    clock.advance(0.2)
    assert token.value() != first
    assert federation.calls["/token"] == 2


def test_a_token_is_not_kept_longer_than_a_day_or_a_minute_if_it_does_not_say(
    federation, own, clock
):
    token = own()
    for body, seconds in (
        ({"access_token": "a", "expires_in": 10**15}, 24 * 3600),
        ({"access_token": "a"}, 60),
    ):
        federation.on["/token"] = federation.says(body)
        before = federation.calls["/token"]
        token.value()
        clock.advance(seconds)
        token.value()
        assert federation.calls["/token"] == before + 2
        clock.advance(24 * 3600)


def test_many_threads_without_a_token_ask_for_one_once(federation, own, at_once):
    federation.on["/token"] = federation.slowly(0.1, federation.issues)
    token = own()

    got = at_once(50, lambda _: token.value())

    assert set(got) == {"own-token-1"}
    assert federation.calls["/token"] == 1


def test_whoever_just_missed_a_renewal_does_not_renew_again(federation, own, clock):
    overtaking = []

    def now():
        if overtaking:
            overtaking.pop()()  # just after we looked for a token
        return clock.now

    token = own(now)
    overtaking.append(token.value)

    assert token.value() == "own-token-1"
    assert federation.calls["/token"] == 1


def test_while_one_thread_renews_the_others_are_served_the_old_token(
    federation, own, clock, at_once
):
    token = own()
    token.value()
    clock.advance(3000)
    held = federation.on["/token"] = federation.held(federation.issues)
    served = threading.Barrier(19, held.go_on.set)

    def work(number):
        if number == 0:
            return token.value()
        held.asked.wait(10)
        value = token.value()
        served.wait(10)
        return value

    got = at_once(20, work)

    assert got == ["own-token-2"] + ["own-token-1"] * 19
    assert federation.calls["/token"] == 2


def test_a_failed_renewal_does_no_harm_while_the_old_token_holds(federation, own, clock):
    token = own()
    token.value()
    federation.on["/token"] = federation.says(b"", status=500)

    clock.advance(3000)
    assert [token.value() for _ in range(5)] == ["own-token-1"] * 5
    assert federation.calls["/token"] == 2  # and it is not tried on every call
    clock.advance(6)
    assert token.value() == "own-token-1"
    assert federation.calls["/token"] == 3
    clock.advance(600)
    with pytest.raises(Unavailable):
        token.value()


def test_only_the_token_that_was_refused_is_discarded(federation, own):
    token = own()
    first = token.value()

    token.discard("another")
    assert token.value() == first
    token.discard(first)
    assert token.value() == "own-token-2"
    token.discard(first)
    assert token.value() == "own-token-2"


def test_a_refused_token_is_renewed_once(own):
    tried = []

    def call(statuses):
        def one(bearer):
            tried.append(bearer)
            return Answer("service", statuses.pop(0), b"")

        return one

    token = own()

    assert token.call_with_token(call([401, 200])).status == 200
    assert tried == ["own-token-1", "own-token-2"]
    for statuses in ([401, 401], [401, 403], [403]):
        with pytest.raises(UpstreamInvalid):
            token.call_with_token(call(list(statuses)))


def test_a_discarded_token_is_not_served_when_its_renewal_fails(federation, own, clock, at_once):
    token = own()
    first = token.value()
    clock.advance(3000)
    held = federation.on["/token"] = federation.held(federation.says(b"", 503))

    def work(number):
        if number == 0:
            return token.value()
        held.asked.wait(10)
        token.discard(first)
        return held.go_on.set()

    assert isinstance(at_once(2, work)[0], Unavailable)


LIES = {
    "a client error": ({"error": "invalid_client"}, 400),
    "a client error in HTML": (b"<html>", 403),
    "an error of no form": ([], 401),
    "success without content": (b"", 204),
    "HTML": (b"<html>", 200),
    "a list": ([{"access_token": "a"}], 200),
    "no token": ({"expires_in": 60}, 200),
    "an empty token": ({"access_token": ""}, 200),
    "a token of two lines": ({"access_token": "a\r\nX: b"}, 200),
    "a number for a token": ({"access_token": 1}, 200),
    "a lifetime in words": ({"access_token": "a", "expires_in": "60"}, 200),
    "a lifetime of true": ({"access_token": "a", "expires_in": True}, 200),
    "a lifetime of null": ({"access_token": "a", "expires_in": None}, 200),
    "no lifetime left": ({"access_token": "a", "expires_in": 0}, 200),
    "another kind of token": ({"access_token": "a", "token_type": "mac"}, 200),
    "too much": (b'{"access_token": "a"}' + b" " * 70_000, 200),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_right_is_the_servers_fault(federation, own, lie):
    federation.on["/token"] = federation.says(*LIES[lie])

    with pytest.raises(UpstreamInvalid):
        own().value()


def test_a_redirect_is_not_followed(federation, own):
    federation.on["/token"] = federation.says(b"", 307, Location="/introspect")

    with pytest.raises(UpstreamInvalid):
        own().value()
    assert federation.calls["/introspect"] == 0


@pytest.mark.parametrize(
    "outage",
    ["is_silent", "resets", "hangs_up", "stops_halfway", "dribbles_headers", "dribbles_body"],
)
def test_no_answer_is_an_outage_told_in_time(federation, own, outage):
    federation.on["/token"] = getattr(federation, outage)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        own(timeout=0.5).value()

    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_says_it_is_ill_is_an_outage(federation, own, status):
    federation.on["/token"] = federation.says({"access_token": "a"}, status)

    with pytest.raises(Unavailable):
        own().value()
