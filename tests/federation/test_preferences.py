"""Whether a recipient reads digitally: an answer, or nothing; never an obstacle."""

import json
import time

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.federation.preferences import SCOPE
from registry.federation.unconfigured import NoPreferences

THEM = Ebox(EboxKind.ENTERPRISE, "0206731645")
ANNA = Ebox(EboxKind.CITIZEN, "85073003328")
PREFERENCES, CONSENTS = "/eboxPreferences/search", "/citizenEboxConsents/search"
CONNECTED = "2026-11-01T10:00:00+01:00"


def entry(number="0206731645", **more):
    return {"eboxId": {"eboxType": "enterprise", "eboxIdValue": number}, **more}


def consent(given, ssin="85073003328"):
    return {"ssin": ssin, "consent": given}


def test_an_enterprise_is_asked_about_by_its_number(federation, preferences):
    federation.on[PREFERENCES] = federation.says([])

    preferences().is_digital(THEM)

    asked = federation.requests[-1]
    assert asked.command == "POST"
    assert json.loads(asked.body) == {
        "eboxType": "ENTERPRISE",
        "eboxIdType": "EnterpriseNumber",
        "eboxIdValueList": ["0206731645"],
    }
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == "Bearer own-token-1"
    assert federation.requests[0].form["scope"] == SCOPE


CONNECTIONS = {
    "connected once": ([entry(exclusivelyEbox=True, lastConnectionDate=CONNECTED)], True),
    "connected, among others": (
        [entry("0888901268"), entry(lastConnectionDate=CONNECTED)],
        True,
    ),
    "never connected": ([entry(exclusivelyEbox=False)], False),
    "null for a connection": ([entry(lastConnectionDate=None)], False),
    "no e-Box": ([], False),
}


@pytest.mark.parametrize("case", CONNECTIONS)
def test_who_connected_once_is_digital(federation, preferences, case):
    answer, digital = CONNECTIONS[case]
    federation.on[PREFERENCES] = federation.says(answer)

    assert preferences().is_digital(THEM) is digital


@pytest.mark.parametrize(
    ("answer", "digital"), [([consent(True)], True), ([consent(False)], False), ([], False)]
)
def test_a_citizen_who_consented_is_digital(federation, preferences, answer, digital):
    federation.on[CONSENTS] = federation.says(answer)

    assert preferences(consents=True).is_digital(ANNA) is digital
    assert json.loads(federation.requests[-1].body) == {"ssinList": ["85073003328"]}
    assert "85073003328" not in federation.requests[-1].path


def test_citizens_are_not_asked_about_unless_that_is_switched_on(federation, preferences):
    federation.on[CONSENTS] = federation.says([consent(True)])

    assert preferences().is_digital(ANNA) is None
    assert not federation.calls


LIES = {
    "HTML": (b"<html>", 200),
    "an object": ({"items": []}, 200),
    "a word": ("0206731645", 200),
    "words": (["0206731645"], 200),
    "null for an entry": ([None], 200),
    "an entry of nobody": ([{"lastConnectionDate": CONNECTED}], 200),
    "a word for an e-Box": ([{"eboxId": "0206731645"}], 200),
    "entries of others": ([entry("0888901268", lastConnectionDate=CONNECTED)], 200),
    "true for a date": ([entry(lastConnectionDate=True)], 200),
    "an empty date": ([entry(lastConnectionDate="")], 200),
    "a refusal of the request": ([], 400),
    "a refusal of our token": ([], 403),
    "nothing there": ([], 404),
    "no content": (b"", 204),
    "too much": (b" " * 70_000 + b"[]", 200),
    "a bad day": ([], 500),
    "a quota": ([], 429),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_right_says_nothing(federation, preferences, lie):
    federation.on[PREFERENCES] = federation.says(*LIES[lie])

    assert preferences().is_digital(THEM) is None


@pytest.mark.parametrize(
    "answer",
    [
        [consent("true")],
        [consent(None)],
        [{"ssin": "85073003328"}],
        [consent(True, "79072321824")],
        [{"consent": True}],
        ["85073003328"],
    ],
)
def test_a_consent_that_is_not_clear_says_nothing(federation, preferences, answer):
    federation.on[CONSENTS] = federation.says(answer)

    assert preferences(consents=True).is_digital(ANNA) is None


OUTAGES = [
    "is_silent",
    "resets",
    "hangs_up",
    "dribbles_headers",
    "dribbles_body",
    "dribbles_chunks",
    "stops_halfway",
]


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("path", ["/token", PREFERENCES])
def test_an_outage_says_nothing_and_keeps_nobody_waiting(federation, preferences, path, outage):
    federation.on[PREFERENCES] = federation.says([])
    federation.on[path] = getattr(federation, outage)
    began = time.monotonic()

    assert preferences(timeout=0.5).is_digital(THEM) is None

    assert time.monotonic() - began < 2.5


def test_nobody_listening_says_nothing(preferences):
    assert preferences(base="http://127.0.0.1:1").is_digital(THEM) is None


def test_a_service_that_keeps_failing_is_left_alone_for_a_while(federation, preferences, clock):
    federation.on[PREFERENCES] = federation.says(b"", 503)
    service = preferences(failures=2)
    for _ in range(4):
        assert service.is_digital(THEM) is None
    assert federation.calls[PREFERENCES] == 2

    federation.on[PREFERENCES] = federation.says([])
    clock.advance(60)
    assert service.is_digital(THEM) is False


def test_an_odd_recipient_does_not_shut_the_service_off_for_others(federation, preferences):
    federation.on[PREFERENCES] = federation.says({}, 400)
    service = preferences(failures=2)
    for _ in range(4):
        assert service.is_digital(THEM) is None

    federation.on[PREFERENCES] = federation.says([])
    assert service.is_digital(THEM) is False


@pytest.mark.parametrize("answer", [(b"<85073003328>", 200), ({"a": "85073003328"}, 500)])
def test_the_log_says_why_in_fixed_words(federation, preferences, caplog, answer):
    federation.on[CONSENTS] = federation.says(*answer)
    caplog.set_level("DEBUG")

    preferences(consents=True).is_digital(ANNA)

    assert "preferences: a recipient's are unknown" in caplog.text
    assert "85073003328" not in caplog.text
    assert "own-token" not in caplog.text


def test_without_federation_ws_nothing_is_known():
    assert NoPreferences().is_digital(THEM) is None
