"""PATCH …/messageAction: what a message asks for was done, which happens once (contract 6.11)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from registry.sandbox.personas import CONSUMER, PORTAL, SENDER
from tests.api.message_updates import execute, held, patch
from tests.api.publication import BELGIF, MESSAGES, OWN, at
from tests.factories import an_ebox

AN_ACTION = {"action_id": "confirm-1", "action_label": {"nl": "Bevestig"}}
LABEL = dict.fromkeys(("nl", "fr", "de"), "Bevestig")


def action_of(visitor, message_id):
    return visitor.get(f"{MESSAGES}/{message_id}").json["messageAction"]


@pytest.mark.parametrize("name", ["consumer", "portal_user", "citizen"])
def test_an_action_is_executed_by_whoever_may_consult_the_message(request, deliver, name):
    somebody = request.getfixturevalue(name)
    message = deliver(somebody.ebox, **AN_ACTION)

    answer = execute(somebody, message)

    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    action = answer.json
    executed = datetime.fromisoformat(action.pop("executionDate"))
    assert abs(datetime.now(UTC) - executed) < timedelta(seconds=10)
    assert action == {"messageActionId": "confirm-1", "label": LABEL, "isExecuted": True}
    assert action_of(somebody, message) == answer.json


def test_an_executed_action_is_required_no_more(consumer, deliver):
    message = deliver(consumer.ebox, **AN_ACTION)
    deliver(consumer.ebox, **AN_ACTION)

    execute(consumer, message)

    (item,) = consumer.get(f"{MESSAGES}?isActionRequired=false").json["items"]
    assert item["messageId"] == str(message)
    assert consumer.get("/ebox/statistics").json["numberOfActionRequiredMessages"] == 1


def test_nothing_else_of_the_message_changes(consumer, deliver):
    message = deliver(consumer.ebox, **AN_ACTION)
    before = consumer.get(f"{MESSAGES}/{message}").json

    action = execute(consumer, message).json

    after = consumer.get(f"{MESSAGES}/{message}").json
    assert after == {**before, "messageAction": action}


def test_executing_again_keeps_the_first_date_and_writes_nothing(consumer, deliver, statements):
    message = deliver(consumer.ebox, **AN_ACTION)
    first = execute(consumer, message)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=30)), statements() as seen:
        again = execute(consumer, message)

    assert (again.status_code, again.json) == (200, first.json)
    assert len(seen) == 1


def test_an_execution_costs_two_statements(consumer, deliver, statements):
    message = deliver(consumer.ebox, **AN_ACTION)

    with statements() as seen:
        execute(consumer, message)

    assert len(seen) == 2
    assert "FOR UPDATE" in seen[0]


def test_of_two_at_once_the_first_decides_the_date(app, consumer, deliver, owner):
    message = deliver(consumer.ebox, **AN_ACTION)
    visitors = [at(consumer, app), at(consumer, app)]

    with ThreadPoolExecutor(2) as pool:
        with held(owner, message) as until_waiting:
            first = pool.submit(execute, visitors[0], message)
            until_waiting(1)
            with time_machine.travel(datetime.now(UTC) + timedelta(seconds=30)):
                second = pool.submit(execute, visitors[1], message)
                until_waiting(2)
        answers = [one.result(timeout=10) for one in (first, second)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json == action_of(consumer, message)
    executed = datetime.fromisoformat(answers[0].json["executionDate"])
    assert executed < datetime.now(UTC) + timedelta(seconds=10)


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
def test_both_media_types_are_read(consumer, deliver, media_type):
    path = f"{MESSAGES}/{deliver(consumer.ebox, **AN_ACTION)}/messageAction"

    assert patch(consumer, {"isExecuted": True}, path, media_type).status_code == 200


def test_another_media_type_is_refused(consumer, deliver):
    message = deliver(consumer.ebox, **AN_ACTION)
    path = f"{MESSAGES}/{message}/messageAction"

    answer = patch(consumer, {"isExecuted": True}, path, "application/json-patch+json")

    assert answer.status_code == 415
    assert answer.json["type"] == f"{OWN}unsupportedMediaType"
    assert action_of(consumer, message)["isExecuted"] is False


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [
        (b"", "schemaViolation", "body"),
        ([], "schemaViolation", "body"),
        ({}, "schemaViolation", "isExecuted"),
        ({"isExecuted": False}, "schemaViolation", "isExecuted"),
        ({"isExecuted": None}, "schemaViolation", "isExecuted"),
        ({"isExecuted": "true"}, "schemaViolation", "isExecuted"),
        ({"isExecuted": 1}, "schemaViolation", "isExecuted"),
        ({"isExecuted": True, "label": {"nl": "x"}}, "unknownInput", "label"),
        ({"isExecuted": True, "executionDate": "2026-01-01T00:00:00Z"}, "unknownInput", None),
    ],
)
def test_a_body_that_says_anything_else_is_refused(consumer, deliver, body, kind, name):
    message = deliver(consumer.ebox, **AN_ACTION)

    answer = patch(consumer, body, f"{MESSAGES}/{message}/messageAction")

    assert answer.status_code == 400
    (issue,) = answer.json["issues"]
    assert (issue["in"], issue["name"]) == ("body", name or "executionDate")
    assert issue["type"].endswith(kind)
    assert action_of(consumer, message)["isExecuted"] is False


def test_a_message_without_action_has_none_to_execute(consumer, deliver):
    answer = execute(consumer, deliver(consumer.ebox))

    assert answer.status_code == 404
    assert answer.json["type"] == f"{BELGIF}resourceNotFound"
    assert answer.json["detail"] == "The message has no action."


def test_what_was_sent_is_the_recipients_to_execute(consumer, reader, deliver):
    recipient = reader()
    sent = {"sender": consumer.ebox.number, "sent_from": "GENERAL"}
    message = deliver(recipient.ebox, **AN_ACTION, **sent)
    assert consumer.get(f"{MESSAGES}/{message}").status_code == 200

    assert execute(consumer, message).status_code == 404
    assert action_of(recipient, message)["isExecuted"] is False


def test_a_person_executes_nothing_where_he_has_no_right(portal_user, reader, deliver):
    message = deliver(portal_user.ebox, partition="partitionNoAccess", **AN_ACTION)

    answer = execute(portal_user, message)

    assert (answer.status_code, answer.json["type"]) == (403, f"{BELGIF}missingPermission")
    assert action_of(reader(portal_user.ebox), message)["isExecuted"] is False


@pytest.mark.parametrize("whose", ["own", "another's", "nobody's"])
@pytest.mark.parametrize("scopes", [(), (SENDER,)])
def test_a_scope_that_does_not_read_does_not_execute_either(visitor, deliver, scopes, whose):
    somebody = visitor(*scopes)
    ebox = somebody.ebox if whose == "own" else an_ebox()
    message = uuid4() if whose == "nobody's" else deliver(ebox, **AN_ACTION)

    answer = execute(somebody, message)

    assert (answer.status_code, answer.json["type"]) == (403, f"{BELGIF}missingScope")
    assert sorted(answer.json["requiredScopes"]) == sorted([CONSUMER, PORTAL])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_an_action_is_only_patched(consumer, deliver, method):
    message = deliver(consumer.ebox, **AN_ACTION)

    answer = consumer.ask(method, f"{MESSAGES}/{message}/messageAction")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "PATCH"}
