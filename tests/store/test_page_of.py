"""Pages of an e-Box: order, totals, filters, and how few statements they cost."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from registry.domain.queries import MessageQuery, Page
from registry.store.consultation import message_list, messages
from registry.store.transactions import name_ebox
from tests.factories import a_file, an_ebox

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def page_of(application, settle):
    """A page as the service sees it: ids in order, and the total."""

    def ask(ebox, *, partitions=None, now=NOW, number=1, size=25, **filters):
        query = MessageQuery(page=Page(number=number, size=size), **filters)
        settle(ebox)
        with application.begin() as connection:
            name_ebox(connection, ebox)
            page = message_list.read_page(
                connection, ebox, query, partitions=partitions, now=now, known_sizes=settle.known
            )
        assert page.is_total_exact
        return [message.message_id for message in page.messages], page.total

    return ask


@pytest.fixture
def five(deliver):
    """An e-Box with five messages, newest first."""
    ebox = an_ebox()
    return ebox, [deliver(ebox, received_at=NOW - age * HOUR) for age in range(1, 6)]


@pytest.mark.parametrize(
    ("number", "size", "shown"),
    [
        (1, 25, slice(0, 5)),
        (1, 5, slice(0, 5)),
        (1, 2, slice(0, 2)),
        (2, 2, slice(2, 4)),
        (3, 2, slice(4, 5)),
        (2, 5, slice(5, 5)),
        (4, 2, slice(5, 5)),
        (2**31 - 1, 100, slice(5, 5)),
    ],
    ids=["all", "exactly", "first", "middle", "last", "just behind", "behind", "far behind"],
)
def test_every_page_tells_the_total_even_behind_the_end(page_of, five, number, size, shown):
    ebox, newest_first = five

    page = page_of(ebox, number=number, size=size)

    assert page == (newest_first[shown], 5)


def test_an_empty_ebox_has_an_empty_first_page(page_of):
    assert page_of(an_ebox()) == ([], 0)


def test_an_empty_ebox_has_an_empty_second_page(page_of):
    assert page_of(an_ebox(), number=2) == ([], 0)


def test_the_newest_comes_first_whatever_order_they_were_put_in(page_of, deliver):
    ebox = an_ebox()
    ages = [3, 1, 2]
    delivered = {age: deliver(ebox, received_at=NOW - age * HOUR) for age in ages}

    ids, _ = page_of(ebox)

    assert ids == [delivered[age] for age in sorted(ages)]


def test_messages_of_the_same_instant_keep_their_order_over_pages(page_of, deliver):
    ebox = an_ebox()
    delivered = [deliver(ebox, received_at=NOW, message_id=UUID(int=n)) for n in (2, 3, 1)]

    ids = [page_of(ebox, number=number, size=1)[0][0] for number in (1, 2, 3)]

    assert ids == sorted(delivered, reverse=True)


def test_an_expired_message_is_gone_from_that_very_instant(page_of, deliver):
    ebox = an_ebox()
    deliver(ebox, expires_at=NOW)
    alive = deliver(ebox, expires_at=NOW + timedelta(microseconds=1))

    assert page_of(ebox) == ([alive], 1)
    assert page_of(ebox, number=2) == ([], 1)


@pytest.mark.parametrize(
    ("filters", "matching", "other"),
    [
        ({"received_before": NOW}, {"received_at": NOW - HOUR}, {"received_at": NOW}),
        ({"received_after": NOW}, {"received_at": NOW}, {"received_at": NOW - HOUR}),
        (
            {"expired_before": NOW + 2 * HOUR},
            {"expires_at": NOW + HOUR},
            {"expires_at": NOW + 2 * HOUR},
        ),
        (
            {"expired_after": NOW + 2 * HOUR},
            {"expires_at": NOW + 2 * HOUR},
            {"expires_at": NOW + HOUR},
        ),
        ({"is_read": True}, {"read_at": NOW}, {}),
        ({"is_read": False}, {}, {"read_at": NOW}),
        ({"is_visible": True}, {}, {"is_visible": False}),
        ({"is_visible": False}, {"is_visible": False}, {}),
        ({"is_registered": True}, {"is_registered": True}, {}),
        ({"is_registered": False}, {}, {"is_registered": True}),
        ({"is_action_required": True}, {"action_id": "a"}, {}),
        (
            {"is_action_required": True},
            {"action_id": "a"},
            {"action_id": "a", "action_executed_at": NOW},
        ),
        ({"is_action_required": False}, {}, {"action_id": "a"}),
        (
            {"is_action_required": False},
            {"action_id": "a", "action_executed_at": NOW},
            {"action_id": "a"},
        ),
        (
            {"message_type_id": "tax-assessment"},
            {},
            {"message_type_id": "summons"},
        ),
        ({"sender_organization_id": "0308357159"}, {}, {"sender": "0206731645"}),
        (
            {"sender_application_id": "my-minfin"},
            {},
            {"sender_application_id": None},
        ),
        ({"partitions": frozenset({"B"})}, {"partition": "B"}, {"partition": "GENERAL"}),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items())[:40] or "default",
)
def test_a_filter_keeps_what_matches_and_nothing_else(page_of, deliver, filters, matching, other):
    ebox = an_ebox()
    kept = deliver(ebox, **matching)
    deliver(ebox, **other)
    narrowed = dict(filters)

    page = page_of(ebox, partitions=narrowed.pop("partitions", None), **narrowed)

    assert page == ([kept], 1)


def test_all_filters_must_hold(page_of, deliver):
    ebox = an_ebox()
    deliver(ebox, read_at=NOW)
    deliver(ebox, is_registered=True)
    both = deliver(ebox, read_at=NOW, is_registered=True)

    assert page_of(ebox, is_read=True, is_registered=True) == ([both], 1)


def test_several_partitions_are_looked_in_together(page_of, deliver):
    ebox = an_ebox()
    wanted = {deliver(ebox, partition="B"), deliver(ebox, partition="C")}
    deliver(ebox)

    ids, total = page_of(ebox, partitions=frozenset({"B", "C", "unknown"}))

    assert (set(ids), total) == (wanted, 2)


def test_who_may_read_no_partition_finds_nothing(page_of, deliver):
    ebox = an_ebox()
    deliver(ebox)

    assert page_of(ebox, partitions=frozenset()) == ([], 0)


def test_a_message_comes_with_its_attachments_in_their_order(application, deliver, settle):
    ebox = an_ebox()
    files = [a_file(attachment_id=name, is_main=name == "z") for name in ("z", "a", "m")]
    deliver(ebox, *files)
    settle(ebox)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        (row,) = message_list.read_page(
            connection,
            ebox,
            MessageQuery(),
            partitions=None,
            now=NOW,
            known_sizes=settle.known,
        ).messages

    assert [attachment.attachment_id for attachment in row.attachments] == ["z", "a", "m"]
    assert {UUID(str(attachment.message_id)) for attachment in row.attachments} == {row.message_id}
    assert row.attachments[0].size == files[0]["size"]


@pytest.mark.parametrize(("messages_there", "attachments"), [(0, 0), (1, 1), (25, 4)])
def test_a_page_costs_one_statement_once_the_size_of_the_ebox_is_known(
    application, statements, deliver, settle, messages_there, attachments
):
    ebox = an_ebox()
    for _ in range(messages_there):
        deliver(ebox, *(a_file(attachment_id=str(number)) for number in range(attachments)))
    query = MessageQuery(page=Page(size=10))
    settle(ebox)
    asked = {"partitions": None, "now": NOW, "known_sizes": settle.known}

    with application.begin() as connection:
        name_ebox(connection, ebox)
        with statements() as first:
            message_list.read_page(connection, ebox, query, **asked)
        with statements() as executed:
            page = message_list.read_page(connection, ebox, query, **asked)

    assert (len(page.messages), page.total) == (min(10, messages_there), messages_there)
    assert (len(first), len(executed)) == (2 if settle.is_large else 1, 1)


@contextmanager
def opened(application, ebox):
    with application.begin() as connection:
        name_ebox(connection, ebox)
        yield connection


def test_one_message_is_found_with_its_body_in_one_statement(application, statements, deliver):
    ebox = an_ebox()
    body = {"nl": "Beste,"}
    identifier = deliver(ebox, a_file(), body=body, is_body_main=False)

    with opened(application, ebox) as connection, statements() as executed:
        row = messages.find(connection, ebox, identifier, NOW)

    assert row.message.message_id == identifier
    assert row.body == body
    assert len(row.message.attachments) == 1
    assert len(executed) == 1


def test_an_expired_message_is_not_found(application, deliver):
    ebox = an_ebox()
    identifier = deliver(ebox, expires_at=NOW)

    with opened(application, ebox) as connection:
        assert messages.find(connection, ebox, identifier, NOW) is None
        assert messages.find(connection, ebox, identifier, NOW - HOUR) is not None


def test_a_message_of_another_ebox_is_not_found(application, deliver):
    identifier = deliver(an_ebox())
    ebox = an_ebox()

    with opened(application, ebox) as connection:
        assert messages.find(connection, ebox, identifier, NOW) is None
