"""A letter's story: a line for each kind of thing that happened, however often."""

import json

import pytest

from registry.audit.trail.entry import Record
from registry.audit.trail.letter_story import LetterStep, find_step, read_members, tell_story

LETTER = "0b6f3f8e-5d3c-4c8e-9f59-0a6c1c7f2a11"
BASE = "/REST/ebox/enterprise/messageRegistry"


def members(method, path, **details):
    return {
        "API_CALL_REQUEST_METHOD": method,
        "API_CALL_REQUEST_URL": path,
        "API_CALL_DETAILS": details,
    }


def record(number, method, path, minute=0, client="portal", **details):
    entry = members(method, path, **details)
    time = f"2026-11-27T09:{minute:02}:00.000000+01:00"
    return Record(number, json.dumps({**entry, "CLIENT_ID": client, "TIMESTAMP": time}))


@pytest.mark.parametrize(
    ("method", "path", "step"),
    [
        ("POST", f"{BASE}/v3/ebox/messages", LetterStep.SUBMISSION),
        ("POST", f"{BASE}/v2/publishMessage", LetterStep.SUBMISSION),
        ("POST", f"{BASE}/v3/ebox/messages/{LETTER}/recipients", LetterStep.CONSIGNMENT),
        ("POST", f"{BASE}/v2/linkEboxMessage", LetterStep.CONSIGNMENT),
        ("POST", f"{BASE}/v3/linkEboxMessage", LetterStep.CONSIGNMENT),
        ("DO", "urn:registry:broadcast", LetterStep.CONSIGNMENT),
        ("GET", f"{BASE}/v3/ebox/messages", LetterStep.LISTING),
        ("GET", f"{BASE}/v3/ebox/messages?q=tax/body", LetterStep.LISTING),
        ("HEAD", f"{BASE}/v2/ebox/messages/", LetterStep.LISTING),
        ("GET", f"{BASE}/v3/ebox/messages/{LETTER}", LetterStep.CONSULTATION),
        ("GET", f"{BASE}/v3/ebox/messages/{LETTER}/attachments", LetterStep.CONSULTATION),
        ("GET", f"{BASE}/v3/ebox/messages/{LETTER}/attachments/a/content", LetterStep.RETRIEVAL),
        (
            "HEAD",
            f"{BASE}/v3/ebox/messages/{LETTER}/attachments/a/content",
            LetterStep.CONSULTATION,
        ),
        ("GET", f"{BASE}/v2/ebox/messages/{LETTER}/body", LetterStep.RETRIEVAL),
        ("GET", f"{BASE}/v3/ebox/messages/{LETTER}/structuredData", LetterStep.RETRIEVAL),
        ("GET", f"{BASE}/v3/ebox/messages/{LETTER}/paymentData", LetterStep.RETRIEVAL),
        ("PATCH", f"{BASE}/v3/ebox/messages", LetterStep.CHANGE),
        ("PATCH", f"{BASE}/v3/ebox/messages/{LETTER}/messageAction", LetterStep.ACTION),
        ("POST", f"{BASE}/v3/ebox/messageStatus/search", LetterStep.STATUS),
        ("POST", f"{BASE}/v2/searchMessageStatus", LetterStep.STATUS),
        ("DO", "urn:registry:hold/set", LetterStep.HOLD),
        ("DO", "urn:registry:hold/lift", LetterStep.HOLD),
        ("DO", "urn:registry:purge", LetterStep.PURGE),
        ("DO", "urn:registry:events/replay-dead", LetterStep.FEDERATION),
        ("DO", "urn:registry:message/withdraw", LetterStep.WITHDRAWAL),
        ("DO", "urn:registry:message/show", LetterStep.OPERATOR),
        ("DO", "urn:registry:fsck/adopt", LetterStep.OPERATOR),
        ("DO", "urn:registry:audit/evidence", LetterStep.INVESTIGATION),
        ("POST", "/anything/else", LetterStep.OTHER),
        ("", "", LetterStep.OTHER),
    ],
)
def test_each_operation_is_a_step(method, path, step):
    assert find_step(members(method, path), LETTER) is step


def test_a_reply_answers_one_letter_and_is_another():
    path = f"{BASE}/v3/ebox/messages/{LETTER}/replies"
    reply = members("POST", path, messageId="another", originalMessageId=LETTER)

    assert find_step(reply, LETTER) is LetterStep.REPLY
    assert find_step(reply, "another") is LetterStep.SUBMISSION


def test_six_thousand_lists_are_one_line():
    path = f"{BASE}/v3/ebox/messages"
    lists = [record(n, "GET", path, minute=n % 60) for n in range(2, 6405)]
    content = record(9000, "GET", f"{path}/{LETTER}/attachments/a/content", minute=59)

    story = tell_story([record(1, "POST", path, client="sender"), *lists, content], LETTER)

    assert [(line.step, line.count) for line in story] == [
        (LetterStep.SUBMISSION, 1),
        (LetterStep.LISTING, 6403),
        (LetterStep.RETRIEVAL, 1),
    ]
    assert story[1].first.startswith("2026-11-27T09:02")
    assert story[1].clients == ("portal",)
    assert story[2].numbers == (9000,)


def test_a_story_never_has_more_lines_than_there_are_steps():
    records = [
        record(n, method, f"urn:registry:{name}{n}")
        for n, (method, name) in enumerate([("DO", "x/"), ("DO", "hold/"), ("PUT", "y")] * 50)
    ]

    assert len(tell_story(records, LETTER)) <= len(LetterStep)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"API_CALL_REQUEST_URL": 7}'])
def test_what_somebody_made_of_an_entry_stops_no_story(text):
    assert tell_story([Record(1, text)], LETTER)[0].step is LetterStep.OTHER
    assert isinstance(read_members(text), dict)
