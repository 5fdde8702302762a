"""PATCH …/v2/ebox/messages: showing and hiding, all or nothing."""

from uuid import uuid4

import pytest

from registry.sandbox.personas import SENDER
from tests.api.v2.visiting import MESSAGES, SUMMARY, in_version_2, told
from tests.factories import an_ebox

MERGE = "application/merge-patch+json"


def patch(visitor, members, media_type=MERGE):
    return visitor.ask("PATCH", MESSAGES, json=members, headers={"Content-Type": media_type})


def marks(*pairs):
    items = [{"messageId": str(message), "visible": visible} for message, visible in pairs]
    return {"items": items, "totalItems": len(items)}


def is_visible(visitor, message):
    return visitor.get(f"{MESSAGES}/{message}").json["visible"]


@pytest.mark.parametrize("media_type", [MERGE, "application/json"])
def test_messages_are_hidden_and_shown_without_further_words(consumer_2, deliver, media_type):
    shown, hidden = deliver(consumer_2.ebox), deliver(consumer_2.ebox, is_visible=False)

    answer = patch(consumer_2, marks((shown, False), (hidden, True)), media_type)

    assert (answer.status_code, answer.data) == (200, b"")
    assert "Content-Type" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert not is_visible(consumer_2, shown)
    assert is_visible(consumer_2, hidden)


@pytest.mark.parametrize("name", ["anothers", "unknown", "no UUID", "sent"])
def test_all_change_or_none(consumer_2, deliver, name):
    own = deliver(consumer_2.ebox)
    other = {
        "anothers": deliver(an_ebox()),
        "unknown": uuid4(),
        "no UUID": "message-1",
        "sent": deliver(an_ebox(), sender=consumer_2.ebox.number, sent_from="GENERAL"),
    }[name]

    answer = patch(consumer_2, marks((own, False), (other, False)))

    assert told(answer, 404) == ("RESOURCE_NOT_FOUND", "The requested resource does not exist.")
    assert is_visible(consumer_2, own)


@pytest.mark.parametrize(
    "members",
    [
        {"items": [{"messageId": str(uuid4())}]},
        {"items": [{"visible": True}]},
        {"items": [{"messageId": 5, "visible": True}]},
        {"items": [{"messageId": str(uuid4()), "visible": "true"}]},
        {"items": {}},
        {"items": [None]},
        [],
    ],
)
def test_bad_syntax_is_refused(consumer_2, members):
    assert told(patch(consumer_2, members), 400)[0] == "INVALID_INPUT"


@pytest.mark.parametrize("more", [{"isVisible": True}, {"partition": "secret"}, {"x": [1]}])
def test_properties_it_does_not_know_are_ignored(consumer_2, deliver, more):
    message = deliver(consumer_2.ebox)
    (item,) = marks((message, False))["items"]

    answer = patch(consumer_2, {"items": [{**item, **more}], "totalItems": 17, **more})

    assert answer.status_code == 200
    assert not is_visible(consumer_2, message)


@pytest.mark.parametrize("members", [{}, {"items": []}])
def test_nothing_to_change_changes_nothing(consumer_2, members):
    assert patch(consumer_2, members).status_code == 200


def test_of_a_message_named_twice_the_last_word_counts(consumer_2, deliver):
    message = deliver(consumer_2.ebox)

    answer = patch(consumer_2, marks((message, True), (message, False)))

    assert answer.status_code == 200
    assert not is_visible(consumer_2, message)


def test_another_media_type_is_refused(consumer_2):
    answer = patch(consumer_2, {"items": []}, "text/plain")

    assert told(answer, 415)[0] == "UNSUPPORTED_MEDIA_TYPE"


def test_a_person_changes_what_he_may_read(portal_user_2, deliver):
    readable = deliver(portal_user_2.ebox)
    secret = deliver(portal_user_2.ebox, partition="partitionNoAccess")

    assert patch(portal_user_2, marks((readable, False))).status_code == 200
    assert told(patch(portal_user_2, marks((secret, False))), 403)[0] == "MISSING_PERMISSION"


@pytest.mark.parametrize("scope", [SUMMARY, SENDER])
def test_a_scope_to_read_messages_is_needed(visitor, scope):
    assert patch(in_version_2(visitor(scope)), {"items": []}).status_code == 403
