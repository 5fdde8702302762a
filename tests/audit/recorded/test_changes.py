"""The trail says what a PATCH changed, from what to what, and names no message that stayed."""

import json

import pytest

from registry.domain.identifiers import EboxKind
from tests.audit.recorded.table import BASES

HIDDEN = {"isVisible": {"from": True, "to": False}}
SHOWN = {"isVisible": {"from": False, "to": True}}
MOVED = {"partition": {"from": "GENERAL", "to": "partitionB"}}
# The name of a member of a PATCH in each version.
VISIBLE = {"v3": "isVisible", "v2": "visible"}
VERSIONS = pytest.mark.parametrize("version", BASES)


@pytest.fixture
def patch(recorded):
    """Have somebody patch what is at a path; the details of what the trail has of it."""

    def ask(visitor, path, members):
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = visitor.ask("PATCH", path, data=json.dumps(members), headers=headers)
        assert answer.status_code == 200, answer.text
        return recorded(visitor)[-1].API_CALL_DETAILS

    return ask


@pytest.fixture
def around(scene, grant, request):
    """A message that somebody with two partitions may change, in the version of the test."""
    version = request.getfixturevalue("version")
    around = scene(version, EboxKind.ENTERPRISE)
    grant(around.reader.ebox.number, ["GENERAL", "partitionB"])
    return around


def make_items(*items):
    return {"items": list(items)}


@VERSIONS
def test_a_message_that_is_hidden_and_shown_again_was_changed_twice(version, around, patch):
    def show(is_visible):
        item = {"messageId": around.message, VISIBLE[version]: is_visible}
        return patch(around.reader, "/ebox/messages", make_items(item))

    deeds = [show(False), show(False), show(True)]

    expected_changes = [[HIDDEN], [], [SHOWN]]
    assert deeds == [
        {
            "messageIds": [around.message],
            "changes": [{"messageId": around.message, **change} for change in changes],
        }
        for changes in expected_changes
    ]


@pytest.mark.parametrize("version", ["v3"])  # in 2.1 nothing is moved
def test_a_message_that_is_moved_and_hidden_at_once_has_both(version, around, patch):
    item = {"messageId": around.message, "partition": "partitionB", VISIBLE[version]: False}

    details = patch(around.reader, "/ebox/messages", make_items(item))

    assert details["changes"] == [{"messageId": around.message, **HIDDEN, **MOVED}]


@VERSIONS
def test_of_several_messages_those_that_changed_are_named(version, around, patch, deliver):
    other = str(deliver(around.reader.ebox))
    items = make_items(
        {"messageId": around.message, VISIBLE[version]: True},
        {"messageId": other, VISIBLE[version]: False},
    )

    details = patch(around.reader, "/ebox/messages", items)

    assert details == {
        "messageIds": [around.message, other],
        "changes": [{"messageId": other, **HIDDEN}],
    }


@VERSIONS
def test_a_citizens_message_that_is_hidden_says_so_too(version, scene, patch):
    around = scene(version, EboxKind.CITIZEN)
    item = {"messageId": around.message, VISIBLE[version]: False}

    details = patch(around.reader, "/ebox/messages", make_items(item))

    assert details["changes"] == [{"messageId": around.message, **HIDDEN}]


@pytest.mark.parametrize("version", ["v3"])  # 2.1 has no PATCH of an action
def test_an_action_that_is_executed_changes_once(version, around, patch):
    path = around.path("/ebox/messages/<message_id>/messageAction")

    first, second = (patch(around.reader, path, {"isExecuted": True}) for _ in range(2))

    change = {"messageId": around.message, "isExecuted": {"from": False, "to": True}}
    assert first == {"messageId": around.message, "changes": [change]}
    assert second == {"messageId": around.message, "changes": []}


def test_every_patch_that_is_served_is_looked_at_here(app):
    patches = {
        (rule.endpoint.partition("-")[0], rule.rule.rpartition("/")[2])
        for rule in app.url_map.iter_rules()
        if "PATCH" in rule.methods
    }

    assert patches == {("v3", "messages"), ("v3", "messageAction"), ("v2", "messages")}
