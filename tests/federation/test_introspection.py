"""Who is behind a token, as the authorization server says it."""

import contextlib
import gzip
import threading
import time
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from registry.domain.access import Caller
from registry.domain.errors import TokenExpired, TokenInvalid, Unavailable, UpstreamInvalid
from registry.domain.identifiers import EnterpriseNumber, Ssin

TOKEN = "the-token"
ENTERPRISE = "urn:be:fgov:kbo-bce:organization:cbe-number"
PERSON = "urn:be:fgov:person:ssin"
ANNA = "85073003328"
NOON = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())


def test_an_application_is_known_by_its_enterprise(federation, introspection):
    federation.knows(TOKEN)

    caller = introspection().caller(TOKEN)

    assert caller == Caller(
        client_id="some-client",
        scopes=frozenset({"a", "b"}),
        token_hash=sha256(TOKEN.encode()).hexdigest(),
        enterprise=EnterpriseNumber("0206731645"),
        expires_at=datetime(2026, 11, 22, 13, tzinfo=UTC),
    )


def test_the_question_is_a_form_with_our_own_bearer(federation, introspection):
    federation.knows(TOKEN)

    introspection().caller(TOKEN)

    asked = federation.requests[-1]
    assert (asked.command, asked.path) == ("POST", "/introspect")
    assert asked.form == {"token": TOKEN}
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.headers["Authorization"] == "Bearer own-token-1"
    assert asked.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    ("sub", "attributes", "person"),
    [
        (ANNA, {}, ANNA),
        (ANNA, {PERSON: [ANNA]}, ANNA),
        ("app", {PERSON: [ANNA, "85073003229"]}, ANNA),
        ("app", {PERSON: ANNA}, ANNA),
        ("app", {PERSON: []}, None),
        ("app", {}, None),
        ("8507300332", {}, None),
        ("8507300332", {PERSON: [ANNA]}, ANNA),
        ("85.07.30-033.28", {PERSON: [ANNA]}, ANNA),
        ("٨٥٠٧٣٠٠٣٣٢٨", {}, None),
    ],
)
def test_a_person_is_known_by_subject_or_claim(federation, introspection, sub, attributes, person):
    federation.knows(TOKEN, sub=sub, principalAttributes=attributes)

    caller = introspection().caller(TOKEN)

    assert caller.person == (Ssin(person) if person else None)
    assert caller.enterprise is None


def test_who_is_two_people_is_nobody(federation, introspection):
    federation.knows(TOKEN, sub=ANNA, principalAttributes={PERSON: ["85073003229"]})

    with pytest.raises(TokenInvalid):
        introspection().caller(TOKEN)


@pytest.mark.parametrize(
    ("paths", "claims"),
    [
        (
            ("principalAttributes.kbo", "principalAttributes.who"),
            {"principalAttributes": {"kbo": ["1"], "who": [ANNA]}},
        ),
        (
            ("principalAttributes.kbo", "principalAttributes.who"),
            {"principalAttributes": {"kbo": "1", "who": ANNA}},
        ),
        (("kbo", "who"), {"kbo": "1", "who": [ANNA]}),
        (("a.b.kbo", "a.who"), {"a": {"b": {"kbo": ["1"]}, "who": ANNA}}),
        (("be.fgov.kbo", "be.fgov.who"), {"be.fgov.kbo": "1", "be.fgov.who": [ANNA]}),
    ],
)
def test_where_the_claims_are_is_a_setting(federation, introspection, paths, claims):
    """A dotted path, to a text or a list, at the top or deeper (contract 6.37)."""
    federation.knows(TOKEN, **{"sub": "app", **claims})
    enterprise_path, person_path = paths

    caller = introspection(enterprise_claim=enterprise_path, person_claim=person_path).caller(TOKEN)

    assert caller.enterprise == EnterpriseNumber("0000000001")
    assert caller.person == Ssin(ANNA)


def test_what_is_optional_may_be_absent(federation, introspection):
    federation.claims[TOKEN] = {"active": True, "client_id": "c"}

    caller = introspection().caller(TOKEN)

    assert (caller.scopes, caller.expires_at, caller.enterprise) == (frozenset(), None, None)


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"active": False}, TokenInvalid),
        ({"exp": NOON}, TokenExpired),
        ({"exp": NOON - 0.5}, TokenExpired),
        ({"nbf": NOON + 6}, TokenInvalid),
        ({"nbf": NOON + 6, "exp": NOON - 1}, TokenInvalid),
        ({"iss": "someone-else"}, TokenInvalid),
        ({"aud": ["others"]}, TokenInvalid),
        ({"aud": "others"}, TokenInvalid),
        ({"aud": []}, TokenInvalid),
    ],
)
def test_a_token_that_must_not_be_used_is_refused(federation, introspection, claims, refusal):
    federation.knows(TOKEN, **{"iss": "as", "aud": ["us", "more"]} | claims)

    with pytest.raises(refusal):
        introspection(issuer="as", audience="us").caller(TOKEN)


def test_issuer_and_audience_must_be_there_when_they_are_expected(federation, introspection):
    federation.knows(TOKEN)

    introspection().caller(TOKEN)
    with pytest.raises(TokenInvalid):
        introspection(issuer="as").caller(TOKEN)
    with pytest.raises(TokenInvalid):
        introspection(audience="us").caller(TOKEN)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "us", "iss": "as"},
        {"aud": ["more", "us"], "iss": "as", "nbf": NOON + 5, "exp": NOON + 1},
    ],
)
def test_a_token_meant_for_us_is_accepted(federation, introspection, claims):
    federation.knows(TOKEN, **claims)

    assert introspection(issuer="as", audience="us").caller(TOKEN).client_id == "some-client"


@pytest.mark.parametrize(
    "token", ["", " ", "two words", "a\r\nb", "é", "٣", "a\x00", "=", "a=b", '"', "a" * 8193]
)
def test_what_can_be_no_token_is_refused_unasked(federation, introspection, token):
    with pytest.raises(TokenInvalid):
        introspection().caller(token)

    assert not federation.requests


WRONG_TYPES = [
    {"active": "true"},
    {"active": 1},
    {"active": None},
    {"exp": "1795348800"},
    {"exp": None},
    {"exp": True},
    {"exp": 10**30},
    {"exp": -(10**15)},
    {"nbf": [NOON]},
    {"scope": ["a"]},
    {"scope": None},
    {"client_id": None},
    {"client_id": ""},
    {"client_id": 7},
    {"sub": 85073003328},
    {"iss": ["as"]},
    {"aud": 7},
    {"aud": ["us", 7]},
    {"aud": None},
    {"principalAttributes": []},
    {"principalAttributes": "x"},
    {"principalAttributes": None},
    {"principalAttributes": {ENTERPRISE: "no number"}},
    {"principalAttributes": {ENTERPRISE: [206731645]}},
    {"principalAttributes": {ENTERPRISE: None}},
    {"principalAttributes": {ENTERPRISE: [""]}},
    {"principalAttributes": {ENTERPRISE: ["BE0206731645"]}},
    {"principalAttributes": {ENTERPRISE: ["00206731645"]}},
    {"principalAttributes": {ENTERPRISE: ["2206731645"]}},
    {"principalAttributes": {ENTERPRISE: ["٢٠٦٧٣١٦٤٥"]}},
    {"principalAttributes": {PERSON: ["8507300332"]}},
    {"principalAttributes": {PERSON: [""]}},
    {"principalAttributes": {PERSON: {"0": ANNA}}},
]


@pytest.mark.parametrize("claims", WRONG_TYPES, ids=str)
def test_a_member_of_the_wrong_type_is_the_servers_fault(federation, introspection, claims):
    federation.knows(TOKEN, **claims)

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


def test_a_caller_without_client_is_the_servers_fault(federation, introspection):
    federation.claims[TOKEN] = {"active": True}

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


LIES = {
    "HTML": (b"<html>hello</html>", 200),
    "nothing": (b"", 200),
    "a list": ([{"active": True, "client_id": "c"}], 200),
    "a word": ("active", 200),
    "an empty object": ({}, 200),
    "not a number": (b'{"active": true, "client_id": "c", "exp": NaN}', 200),
    "no UTF-8": (b'{"active": true, "client_id": "\xff"}', 200),
    "deep": (b"[" * 60_000, 200),
    "too much": (b'{"active": true, "client_id": "c"}' + b" " * 70_000, 200),
    "created": ({"active": True, "client_id": "c"}, 201),
    "no content": (b"", 204),
    "choices": ({"active": True, "client_id": "c"}, 300),
    "a refusal of the request": ({"error": "invalid_request"}, 400),
    "a refusal of our token": (b"", 401),
    "a refusal of our scope": (b"", 403),
    "not found": ({"active": False}, 404),
    "a teapot": ({"active": False}, 418),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_right_is_the_servers_fault(federation, introspection, lie):
    federation.on["/introspect"] = federation.says(*LIES[lie])

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(federation, introspection, status):
    federation.on["/introspect"] = federation.says(b"", status, Location="/elsewhere")
    federation.on["/elsewhere"] = federation.says({"active": True, "client_id": "c"})

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)
    assert federation.calls["/elsewhere"] == 0


def test_what_a_redirect_says_is_not_even_read(federation, introspection):
    def endless(request):
        request.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 9\r\n\r\n")
        federation.is_silent(request)

    federation.on["/introspect"] = endless

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


def test_an_answer_that_unpacks_without_end_is_the_servers_fault(federation, introspection):
    bomb = gzip.compress(b" " * 50_000_000)
    federation.on["/introspect"] = federation.says(bomb, 200, **{"Content-Encoding": "gzip"})

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


def test_an_answer_packed_wrongly_is_the_servers_fault(federation, introspection):
    federation.on["/introspect"] = federation.says(b"x", 200, **{"Content-Encoding": "gzip"})

    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


OUTAGES = [
    "is_silent",
    "resets",
    "hangs_up",
    "stops_halfway",
    "dribbles_one_line",
    "dribbles_headers",
    "dribbles_body",
    "dribbles_chunks",
    "dribbles_endlessly",
]


@pytest.mark.parametrize("outage", OUTAGES)
def test_no_answer_is_an_outage_told_in_time(federation, introspection, outage):
    federation.on["/introspect"] = getattr(federation, outage)
    asking = introspection(timeout=0.5)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        asking.caller(TOKEN)
    assert time.monotonic() - began < 2.5

    # nor does it hold our threads: the next question is answered
    asking.close()
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_says_it_is_ill_is_an_outage(federation, introspection, status):
    federation.on["/introspect"] = federation.says({"active": False}, status)

    with pytest.raises(Unavailable):
        introspection().caller(TOKEN)


def test_nobody_listening_is_an_outage(introspection):
    for url in ("http://127.0.0.1:1", "http://name.invalid/introspect"):
        with pytest.raises(Unavailable):
            introspection(url=url).caller(TOKEN)


def test_slowness_that_adds_up_over_several_calls_is_bounded_too(federation, introspection):
    federation.on["/token"] = federation.slowly(0.4, federation.issues)
    federation.on["/introspect"] = federation.slowly(0.4, federation.says(b"", 401))
    began = time.monotonic()

    with pytest.raises(Unavailable):
        introspection(timeout=0.5).caller(TOKEN)

    assert time.monotonic() - began < 1.5


def test_when_all_threads_are_stuck_the_next_caller_is_told_in_time(
    federation, introspection, at_once
):
    federation.on["/introspect"] = federation.is_silent
    asking = introspection(timeout=0.5, workers=2)
    began = time.monotonic()

    got = at_once(20, lambda n: asking.caller(f"token-{n}"))

    assert {type(error) for error in got} == {Unavailable}
    assert time.monotonic() - began < 2.5


def test_a_token_server_that_fails_is_told_as_what_it_is(federation, introspection):
    federation.on["/token"] = federation.says(b"", 500)
    with pytest.raises(Unavailable):
        introspection().caller(TOKEN)

    federation.on["/token"] = federation.says({"error": "invalid_client"}, 400)
    with pytest.raises(UpstreamInvalid):
        introspection().caller(TOKEN)


def test_our_own_token_is_renewed_when_it_was_revoked(federation, introspection):
    asking = introspection()
    asking.caller(federation.knows(TOKEN))
    federation.revoked.add("own-token-1")

    assert asking.caller(federation.knows("another")).client_id == "some-client"
    assert federation.issued == ["own-token-1", "own-token-2"]


def test_a_kept_connection_that_was_closed_at_the_other_end_does_no_harm(federation, introspection):
    def closes_after_answering(request):
        federation.introspects(request)
        request.close_connection = True  # without having said so

    federation.on["/introspect"] = closes_after_answering
    asking = introspection()

    for number in range(20):
        assert asking.caller(federation.knows(f"token-{number}"))


def test_a_sick_server_is_left_alone_then_tried_by_one(federation, introspection, clock, at_once):
    federation.on["/introspect"] = federation.says(b"", 503)
    asking = introspection(failures=3)
    for number in range(3):
        with pytest.raises(Unavailable):
            asking.caller(f"token-{number}")

    got = at_once(20, lambda n: asking.caller(f"token-{n}"))
    assert {type(error) for error in got} == {Unavailable}
    assert federation.calls["/introspect"] == 3

    clock.advance(60)
    held = federation.on["/introspect"] = federation.held(federation.introspects)
    told = threading.Barrier(19, held.go_on.set)

    def work(number):
        try:
            return asking.caller(federation.knows(f"token-{number}"))
        except Unavailable:
            told.wait(10)
            raise

    got = at_once(20, work)
    assert sorted(type(one).__name__ for one in got) == ["Caller"] + ["Unavailable"] * 19
    assert federation.calls["/introspect"] == 4
    assert asking.caller("token-1")


def test_how_each_question_ended_can_be_observed(federation, introspection):
    seen = []
    asking = introspection(observe=lambda how, seconds: seen.append((how, seconds)))
    federation.knows(TOKEN)
    scripts = [federation.introspects] * 3 + [federation.says(b"", 503), federation.says(b"<")]

    for token, script in zip([TOKEN, TOKEN, "unknown", "x", "y"], scripts, strict=True):
        federation.on["/introspect"] = script
        with contextlib.suppress(TokenInvalid, Unavailable, UpstreamInvalid):
            asking.caller(token)

    assert [how for how, _ in seen] == ["active", "hit", "refused", "unavailable", "invalid"]
    assert all(0 <= seconds < 5 for _, seconds in seen)
