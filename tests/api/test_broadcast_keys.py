"""Broadcasts in chunks: nobody twice, nobody left out, and the same answer to the same request."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.api.state import get_state, set_state
from registry.domain.identifiers import Ebox, EboxKind
from tests.api.publication import MESSAGES, OWN, named
from tests.api.v2 import visiting
from tests.api.v2.visiting import in_version_2
from tests.factories import an_ebox

SIZE = 3  # recipients in one transaction, here
IMPOSSIBLE = Ebox(EboxKind.ENTERPRISE, "0206731646")


@pytest.fixture
def by_threes(publishing_with):
    """An application that looks at check digits, and files three recipients at a time."""
    app = publishing_with(check_digits=True)
    state = get_state(app)
    broadcast = state.registry.broadcast
    filing = replace(broadcast.filing, size=SIZE)
    changed = replace(state.registry, broadcast=replace(broadcast, filing=filing))
    set_state(app, replace(state, registry=changed))
    return app


class Broadcaster:
    """A sender at one version, under one name of the operation."""

    def __init__(self, sender, version):
        self.sender, self.version = sender, version

    def link(self, message_id, eboxes, key=None):
        headers = {} if key is None else {"Idempotency-Key": key}
        if self.version == "2.1":
            members = {"messageId": message_id, "recipients": [visiting.named(e) for e in eboxes]}
            return in_version_2(self.sender).ask(
                "POST", visiting.LINK, json=members, headers=headers
            )
        members = {"recipients": [named(ebox) for ebox in eboxes]}
        path = f"{MESSAGES}/{message_id}/recipients"
        return self.sender.ask("POST", path, json=members, headers=headers)


@pytest.fixture(params=["3", "2.1"])
def broadcaster(request, by_threes, sender):
    there = type(sender)(by_threes.test_client(), sender.token, sender.ebox)
    return Broadcaster(there, request.param)


@pytest.fixture
def filed(owner):
    """The e-Boxes that have the message and its event, each as often as it has, by transaction."""

    def look(message_id):
        query = text(
            "SELECT m.xmin::text, m.ebox, (SELECT count(*) FROM outbox o WHERE o.ebox = m.ebox"
            " AND o.message_id = m.message_id AND o.type = 'newDocument') AS events,"
            " (SELECT count(*) FROM attachments a WHERE a.ebox = m.ebox"
            " AND a.message_id = m.message_id) AS documents"
            " FROM messages m WHERE m.message_id = :message_id"
        )
        with owner.connect() as connection:
            return connection.execute(query, {"message_id": message_id}).all()

    return look


def eboxes(count, *more):
    kinds = (EboxKind.ENTERPRISE, EboxKind.CITIZEN)
    return [an_ebox(kinds[number % 2]) for number in range(count)] + list(more)


def test_no_transaction_files_more_than_its_share(broadcaster, filed):
    message_id, many = broadcaster.sender.published(an_ebox()), eboxes(10)

    answer = broadcaster.link(message_id, many)

    assert answer.json["nbSuccessLinks"] == 10
    rows = filed(message_id)
    transactions = [row.xmin for row in rows]
    assert max(transactions.count(xid) for xid in transactions) == SIZE
    assert len(rows) == 11
    assert {(row.events, row.documents) for row in rows} == {(1, 1)}


def test_one_that_cannot_be_in_the_third_chunk_stops_nobody(broadcaster, filed):
    message_id, many = broadcaster.sender.published(an_ebox()), eboxes(10)
    many.insert(7, IMPOSSIBLE)

    answer = broadcaster.link(message_id, many)

    assert answer.status_code == 201
    assert answer.json["nbSuccessLinks"] == 10
    (case,) = answer.json["errorCases"]
    assert IMPOSSIBLE.number in case.values()
    assert {row.ebox for row in filed(message_id)} >= {ebox.key for ebox in many} - {IMPOSSIBLE.key}


def test_the_same_request_gets_the_same_answer(broadcaster, filed):
    message_id, many = broadcaster.sender.published(an_ebox()), eboxes(7, IMPOSSIBLE)
    first = broadcaster.link(message_id, many, '"a-key"')
    before = filed(message_id)

    again = broadcaster.link(message_id, many[::-1], "a-key")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert filed(message_id) == before


def test_a_key_of_another_request_is_refused_naming_its_message(broadcaster, filed):
    sender = broadcaster.sender
    message_id, other_id = sender.published(an_ebox()), sender.published(an_ebox())
    many = eboxes(2)
    broadcaster.link(message_id, many, '"a-key"')

    answers = [
        broadcaster.link(message_id, [*many, an_ebox()], '"a-key"'),
        broadcaster.link(other_id, many, '"a-key"'),
    ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert all(message_id in answer.text for answer in answers)
    if broadcaster.version == "3":
        assert answers[0].json["type"] == f"{OWN}duplicatePublication"
    assert (len(filed(message_id)), len(filed(other_id))) == (3, 1)


def test_the_key_of_the_publication_may_serve_its_broadcast_too(broadcaster):
    headers = {"Idempotency-Key": '"a-key"'}
    message_id = broadcaster.sender.published(an_ebox(), headers=headers)

    assert broadcaster.link(message_id, eboxes(1), '"a-key"').status_code == 201


def test_a_key_that_is_none_is_refused(broadcaster, filed):
    message_id = broadcaster.sender.published(an_ebox())

    assert broadcaster.link(message_id, eboxes(1), '"a').status_code == 400
    assert len(filed(message_id)) == 1


@pytest.mark.parametrize("key", ['"a-key"', None])
def test_two_equal_requests_at_once_file_everybody_once(broadcaster, filed, key):
    message_id, many = broadcaster.sender.published(an_ebox()), eboxes(40, IMPOSSIBLE)
    barrier = Barrier(2)

    def link(_):
        barrier.wait()
        return broadcaster.link(message_id, many, key)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(link, range(2)))

    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    assert answers[0].json == answers[1].json
    assert answers[0].json["nbSuccessLinks"] == 40
    rows = filed(message_id)
    assert len(rows) == 41
    assert {row.events for row in rows} == {1}


def test_broadcasts_of_one_message_in_other_orders_do_not_block_each_other(sender, filed):
    message_id, many = sender.published(an_ebox()), eboxes(500)
    broadcasters = [Broadcaster(copy(sender), "3") for _ in range(2)]
    barrier = Barrier(2)

    def link(number):
        barrier.wait()
        return broadcasters[number].link(message_id, many[:: 1 - 2 * number])

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(link, range(2)))

    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    assert len(filed(message_id)) == 501


def test_nothing_is_kept_of_the_recipients_when_all_have_it(broadcaster, owner):
    message_id = broadcaster.sender.published(an_ebox())

    broadcaster.link(message_id, eboxes(5), str(uuid4()))

    query = text(
        "SELECT recipients, filed, links, finished_at FROM broadcasts WHERE message_id = :message"
    )
    with owner.connect() as connection:
        (row,) = connection.execute(query, {"message": message_id}).all()
    assert (row.recipients, row.filed, row.links) == ([], 5, 5)
    assert row.finished_at is not None
