"""POST …/v3/linkEboxMessage and /searchMessageStatus: as in 2.1, for senders (contract 6.34)."""

import pytest

from registry.sandbox.personas import CONSUMER
from tests.api.v2.visiting import LINK, MESSAGES, STATUS, in_version_2, named
from tests.factories import an_ebox


@pytest.fixture(params=["3", "2"])
def at_version(request):
    """The visitor at one version or the other."""
    return in_version_2 if request.param == "2" else lambda visitor: visitor


def by_todays_names(ebox):
    """An e-Box as version 3 names it."""
    name = "enterpriseNumber" if ebox.enterprise_number else "ssin"
    return {"eboxType": ebox.kind.value, name: ebox.number}


@pytest.mark.parametrize("name", [named, by_todays_names])
def test_a_message_is_linked_and_its_status_told_in_both_versions(sender, reader, at_version, name):
    recipient, other = reader(), reader()
    message = sender.published(recipient.ebox)
    there = at_version(sender)

    linked = there.ask("POST", LINK, json={"messageId": message, "recipients": [name(other.ebox)]})
    asked = [{"messageId": message, "eboxId": name(ebox)} for ebox in (recipient.ebox, other.ebox)]
    told = there.ask("POST", STATUS, json=asked)

    assert (linked.status_code, linked.json["nbSuccessLinks"]) == (201, 1), linked.text
    assert other.get(f"{MESSAGES}/{message}").status_code == 200
    assert told.status_code == 201, told.text
    statuses = [(item["eboxId"]["eboxIdValue"], item["readStatus"]) for item in told.json]
    assert sorted(statuses) == sorted([(recipient.ebox.number, False), (other.ebox.number, False)])


def test_nobody_but_the_sender_links_or_asks(sender, a_sender, at_version):
    message = sender.published(an_ebox())
    stranger = at_version(a_sender())

    linked = stranger.ask(
        "POST", LINK, json={"messageId": message, "recipients": [named(an_ebox())]}
    )

    assert linked.status_code == 404
    pair = {"messageId": message, "eboxId": named(an_ebox())}
    assert stranger.ask("POST", STATUS, json=[pair]).json == []


@pytest.mark.parametrize("path", [LINK, STATUS])
def test_a_consumer_may_not(visitor, at_version, path):
    assert at_version(visitor(CONSUMER)).ask("POST", path, json=[]).status_code == 403
