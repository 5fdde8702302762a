"""Nobody sees in version 2.1 what is not his, nor learns whether it exists."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, SENDER
from tests.api.publication import at
from tests.api.v2.visiting import LINK, MESSAGES, in_version_2, named
from tests.conformance.validation import VERSION_2
from tests.factories import PAYMENT, a_file, an_ebox

READING = [path for method, path in sorted(VERSION_2.implemented()) if method == "GET"]
OF_A_MESSAGE = [path for path in READING if "{messageId}" in path]
OWNERS = ["consumer", "portal_user", "citizen", "other_enterprise"]
EVERYTHING = {"body": {"nl": "Tekst"}, "is_body_main": True, "payment_data": PAYMENT}


@pytest.fixture
def somebody(request, visitor):
    """One of the callers by name; all have an e-Box."""

    def who(name):
        known = name != "other_enterprise"
        return in_version_2(request.getfixturevalue(name) if known else visitor(CONSUMER))

    return who


@pytest.fixture
def full(deliver):
    """Deliver a message that every operation can show something of."""
    return lambda ebox, **changes: deliver(ebox, a_file(), **{**EVERYTHING, **changes})


@pytest.fixture
def hidden(full):
    """Messages that the owner of an e-Box does not see, by the reason."""

    def deliver_all(ebox):
        past = datetime.now(UTC) - timedelta(seconds=1)
        return {
            "an enterprise's": full(an_ebox()),
            "a citizen's": full(an_ebox(EboxKind.CITIZEN)),
            "in a partition of the same name": full(an_ebox(), partition="partitionB"),
            "sent by the same sender": full(an_ebox(), sent_from="GENERAL"),
            "expired": full(ebox, expires_at=past),
            "no UUID": "message-1",
            "in upper case": str(full(ebox)).upper(),
        }

    return deliver_all


def fill_path(path, message):
    return path.format(messageId=message, attachmentId="1")


def scrubbed(answer, message):
    """All of an answer but what must differ: the id that was asked for, and the occurrence."""
    occurrence = answer.headers["BelGov-Trace-Id"]
    text = f"{answer.status}\n{answer.headers}\n".encode() + answer.data
    return text.replace(str(message).encode(), b"ID").replace(occurrence.encode(), b"OCCURRENCE")


def test_the_matrix_holds_every_operation_that_reads_a_message():
    assert len(OF_A_MESSAGE) == 6


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("name", OWNERS)
def test_ones_own_is_shown(somebody, full, name, path):
    owner = somebody(name)

    answer = owner.get(fill_path(path, full(owner.ebox)))

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("name", OWNERS)
def test_what_is_anothers_or_expired_looks_exactly_like_what_never_existed(
    somebody, hidden, statements, name, path
):
    asking = somebody(name)
    unknown = uuid4()
    asking.get(fill_path(path, unknown))  # rights and token are known from here on
    with statements() as for_unknown:
        never = asking.get(fill_path(path, unknown))

    assert never.status_code == 404
    for whose, message in hidden(asking.ebox).items():
        with statements() as for_this:
            answer = asking.get(fill_path(path, message))

        assert scrubbed(answer, message) == scrubbed(never, unknown), whose
        assert for_this == for_unknown, whose


def test_what_is_anothers_is_neither_hidden_nor_spread(app, sender, hidden, nothing_stored):
    asking = in_version_2(at(sender, app, type(sender)))
    messages = hidden(asking.ebox)

    def patch(message):
        members = {"items": [{"messageId": str(message), "visible": False}]}
        return asking.ask("PATCH", MESSAGES, json=members)

    def link(message):
        members = {"messageId": str(message), "recipients": [named(an_ebox())]}
        return asking.ask("POST", LINK, json=members)

    unknown = uuid4()
    with nothing_stored():
        for change in (patch, link):
            never = change(unknown)
            assert never.status_code == 404
            for whose, message in messages.items():
                assert scrubbed(change(message), message) == scrubbed(never, unknown), whose


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("scopes", [(SENDER,), ()])
def test_without_scope_own_anothers_and_unknown_are_refused_alike(visitor, full, scopes, path):
    asking = in_version_2(visitor(*scopes))
    ids = [full(asking.ebox), full(an_ebox()), uuid4()]

    answers = [scrubbed(asking.get(fill_path(path, id_)), id_) for id_ in ids]

    assert answers[0].startswith(b"403 ")
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("path", OF_A_MESSAGE)
def test_a_partition_without_right_is_refused_like_any_other_such(portal_user_2, full, path):
    messages = [full(portal_user_2.ebox, partition="partitionNoAccess") for _ in range(2)]

    answers = [scrubbed(portal_user_2.get(fill_path(path, each)), each) for each in messages]

    assert answers[0].startswith(b"403 ")
    assert answers[0] == answers[1]
