"""Large e-Boxes: what is counted is what there is, whatever happens to messages (ADR 038)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from registry.domain.languages import fold
from registry.domain.queries import MessageQuery, Page, Search
from registry.services.consultation.ebox_sizes import EboxSizes
from registry.store.consultation import large_eboxes, message_list, size_keeping
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.transactions import name_ebox
from tests.factories import NOON, an_ebox
from tests.large_eboxes import file_messages

DAY = timedelta(days=1)
FLAGS = {
    "is_read": "read_at IS NOT NULL",
    "is_visible": "is_visible",
    "is_registered": "is_registered",
    "is_action_required": "action_id IS NOT NULL AND action_executed_at IS NULL",
}


@pytest.fixture
def sizes(worker):
    return EboxSizes(worker, lambda: datetime.now(UTC))


@pytest.fixture
def grow(application, sizes):
    """Let an e-Box become large."""

    def ask(ebox):
        with application.begin() as connection:
            name_ebox(connection, ebox)
            large_eboxes.ask_for_counts(connection, ebox)
        return list(sizes.mark_all())

    return ask


@pytest.fixture
def page_of(application):
    """A page, in a process that has never seen the e-Box unless `known` says so."""

    def ask(ebox, known=None, partitions=None, now=NOON, **query):
        with application.begin() as connection:
            name_ebox(connection, ebox)
            return message_list.read_page(
                connection,
                ebox,
                MessageQuery(**query),
                partitions=partitions,
                now=now,
                known_sizes=known or KnownSizes(large_from=10**6),
            )

    return ask


def execute(superuser, statement, ebox, **values):
    with superuser.begin() as connection:
        return connection.execute(text(statement), {"ebox": ebox.key, **values})


def count_rows(superuser, ebox, condition):
    statement = (
        "SELECT count(*) FROM messages WHERE ebox = :ebox AND expires_at > :now"
        f" AND withdrawn_at IS NULL AND ({condition})"
    )
    return execute(superuser, statement, ebox, now=NOON).scalar_one()


def test_totals_are_exact_after_everything_that_happens_to_messages(
    superuser, deliver, grow, sizes, page_of
):
    ebox = an_ebox()
    action = {"action_id": "sign", "action_label": {"nl": "Teken"}}
    for number in range(12):
        more = action if number % 2 else {}
        registered, part = number % 3 == 0, ("A", "B", "GENERAL")[number % 3]
        deliver(ebox, partition=part, is_registered=registered, **more)
    grow(ebox)
    some = (
        "WHERE ebox = :ebox AND message_id IN (SELECT message_id FROM messages"
        " WHERE ebox = :ebox ORDER BY message_id OFFSET {} LIMIT 2)"
    )
    changes = [
        "UPDATE messages SET read_at = now() " + some.format(0),
        "UPDATE messages SET is_visible = false " + some.format(1),
        "UPDATE messages SET partition = 'C', is_routing_pending = false " + some.format(2),
        "UPDATE messages SET action_executed_at = now() " + some.format(4),
        "UPDATE messages SET withdrawn_at = now(), original_expires_at = expires_at,"
        " expires_at = least(expires_at, now()) " + some.format(6),
        f"UPDATE messages SET expires_at = '{NOON - DAY}' " + some.format(8),
        "UPDATE messages SET read_at = NULL " + some.format(0),
        "DELETE FROM messages " + some.format(7),
    ]

    for number, change in enumerate(changes):
        execute(superuser, change, ebox)
        if number % 3 == 0:
            list(sizes.sum_up())
        deliver(ebox, partition="A")
        assert page_of(ebox).total == count_rows(superuser, ebox, "true"), change
        for flag, condition in FLAGS.items():
            assert page_of(ebox, **{flag: True}).total == count_rows(superuser, ebox, condition)
            assert page_of(ebox, **{flag: False}).total == count_rows(
                superuser, ebox, f"NOT ({condition})"
            )
        for part in ("A", "B", "C"):
            total = page_of(ebox, partitions=frozenset({part}), is_read=False).total
            assert total == count_rows(superuser, ebox, f"partition = '{part}' AND read_at IS NULL")


def test_far_pages_and_near_ones_make_up_the_whole_ebox(superuser, deliver, grow, page_of):
    ebox = an_ebox()
    _fill(superuser, ebox, 2_400)
    grow(ebox)
    expected = _list_ids(superuser, ebox)

    pages = [page_of(ebox, page=Page(number=number, size=100)) for number in range(1, 27)]

    assert [each.message_id for page in pages for each in page.messages] == expected
    assert {page.total for page in pages} == {2_400}


def test_an_ebox_is_asked_to_be_counted_by_who_reads_it_large(superuser, sizes, page_of):
    ebox = an_ebox()
    known = KnownSizes(large_from=3)
    _fill(superuser, ebox, 2)
    page_of(ebox, known)
    before = _is_large(superuser, ebox)
    _fill(superuser, ebox, 1)

    page_of(ebox, known)
    list(sizes.mark_all())

    assert (before, _is_large(superuser, ebox)) == (False, True)
    assert page_of(ebox, known).total == 3


def test_what_is_filed_while_rows_are_marked_is_counted(
    superuser, deliver, sizes, page_of, application
):
    """The writer's transaction did not know the e-Box as large: marking waits until it is over."""
    ebox = an_ebox()
    _fill(superuser, ebox, 3)
    with superuser.connect() as writing:
        writing.execute(text("SELECT pg_current_xact_id()"))
        file_messages(writing, ebox, 1)
        with application.begin() as connection:
            name_ebox(connection, ebox)
            large_eboxes.ask_for_counts(connection, ebox)
        early = list(sizes.mark_all())
        deliver(ebox)
        writing.commit()

    while not list(sizes.mark_all()):
        pass

    assert early == []
    assert page_of(ebox).total == 5


def test_an_ebox_asked_for_on_another_server_is_counted_on_a_copy(
    superuser, deliver, application, sizes, page_of
):
    """A dump that is read in on a new server has numbers of transactions from the old one."""
    ebox = an_ebox()
    deliver(ebox)
    with application.begin() as connection:
        name_ebox(connection, ebox)
        large_eboxes.ask_for_counts(connection, ebox)
    far = "(pg_current_xact_id()::text)::bigint + 1000000000"
    execute(superuser, f"UPDATE large_eboxes SET asked_by = {far} WHERE ebox = :ebox", ebox)

    list(sizes.mark_all())

    counted = execute(superuser, "SELECT counted_at FROM large_eboxes WHERE ebox = :ebox", ebox)
    assert counted.scalar_one() is not None
    assert page_of(ebox).total == 1


def test_writers_of_one_ebox_do_not_wait_for_each_other(superuser, grow, page_of):
    ebox = an_ebox()
    _fill(superuser, ebox, 1)
    grow(ebox)

    with superuser.connect() as one, superuser.connect() as other:
        other.exec_driver_sql("SET lock_timeout = '5s'")
        file_messages(one, ebox, 1)
        file_messages(other, ebox, 1)
        other.commit()
        meanwhile = page_of(ebox).total
        one.commit()

    assert (meanwhile, page_of(ebox).total) == (2, 3)


def test_an_ebox_that_was_emptied_begins_anew(superuser, deliver, grow, worker, page_of):
    ebox, known = an_ebox(), KnownSizes(large_from=10**6)
    _fill(superuser, ebox, 3)
    grow(ebox)
    page_of(ebox, known)
    with worker(ebox) as connection:
        size_keeping.forget_counts(connection, ebox)
    kept = _is_large(superuser, ebox)

    execute(superuser, "DELETE FROM messages WHERE ebox = :ebox", ebox)
    with worker(ebox) as connection:
        size_keeping.forget_counts(connection, ebox)
    message = deliver(ebox)

    assert (kept, _is_large(superuser, ebox)) == (True, False)
    assert [each.message_id for each in page_of(ebox, known).messages] == [message]
    for table in ("message_counts", "message_count_changes"):
        assert not execute(superuser, f"SELECT FROM {table} WHERE ebox = :ebox", ebox).all()
    grow(ebox)
    assert page_of(ebox, known).total == 1


def test_a_frequent_text_is_looked_for_among_the_newest_and_the_total_says_so(
    superuser, grow, page_of
):
    ebox = an_ebox()
    _fill(superuser, ebox, 2_300)
    grow(ebox)
    often, once = (Search(text=fold(words), language="nl") for words in ("brief", "nummer 17 "))

    frequent, rare = page_of(ebox, search=often), page_of(ebox, search=once)

    assert (len(frequent.messages), frequent.total, frequent.is_total_exact) == (25, 250, False)
    assert [each.message_id for each in frequent.messages] == _list_ids(superuser, ebox)[:25]
    assert (rare.total, rare.is_total_exact) == (1, True)


def test_a_message_that_is_found_by_its_text_and_by_names_is_one(superuser, grow, page_of):
    ebox = an_ebox()
    _fill(superuser, ebox, 10)
    grow(ebox)

    page = page_of(ebox, search=Search(text="e", language="nl"))  # brief, Federale, Financien

    assert [each.message_id for each in page.messages] == _list_ids(superuser, ebox)
    assert page.total == 10


def test_filters_leave_out_of_a_frequent_text_what_they_leave_out_of_any(superuser, grow, page_of):
    ebox = an_ebox()
    _fill(superuser, ebox, 600)
    execute(
        superuser,
        "UPDATE messages SET read_at = now() WHERE ebox = :ebox AND message_id IN"
        " (SELECT message_id FROM messages WHERE ebox = :ebox ORDER BY received_at DESC LIMIT 590)",
        ebox,
    )
    grow(ebox)

    unread = page_of(ebox, search=Search(text="brief", language="nl"), is_read=False)

    assert [each.message_id for each in unread.messages] == _list_ids(superuser, ebox)[590:]
    assert (unread.total, unread.is_total_exact) == (10, True)


def test_what_has_expired_takes_no_place_of_what_is_looked_for(superuser, grow, page_of):
    ebox = an_ebox()
    _fill(superuser, ebox, 600)
    grow(ebox)
    execute(
        superuser,
        f"UPDATE messages SET expires_at = '{NOON - DAY}' WHERE ebox = :ebox AND message_id IN"
        " (SELECT message_id FROM messages WHERE ebox = :ebox ORDER BY received_at DESC LIMIT 400)",
        ebox,
    )

    page = page_of(ebox, search=Search(text="brief", language="nl"))

    assert [each.message_id for each in page.messages] == _list_ids(superuser, ebox)[400:425]
    assert (page.total, page.is_total_exact) == (200, False)  # among the newest, at least so many


def test_a_text_of_thousands_of_messages_is_found_on_every_page(superuser, page_of):
    ebox = an_ebox()
    execute(superuser, "INSERT INTO large_eboxes (ebox, counted_at) VALUES (:ebox, now())", ebox)
    _fill(superuser, ebox, 5_200)
    in_all, in_some = (Search(text=words, language="nl") for words in ("brief", "nummer 1"))

    pages = [page_of(ebox, search=in_all, page=Page(number=number)) for number in (200, 208, 300)]
    behind = page_of(ebox, search=in_some, page=Page(number=200))

    ids = _list_ids(superuser, ebox)
    assert [[each.message_id for each in page.messages] for page in pages] == [
        ids[4_975:5_000],
        ids[5_175:5_200],
        [],
    ]
    assert {(page.total, page.is_total_exact) for page in pages} == {(5_200, True)}
    assert (behind.messages, behind.total, behind.is_total_exact) == ([], 1_111, True)


@pytest.mark.parametrize(
    "asked",
    [
        {"message_type_id": "summons"},
        {"search": Search(text="nummer 7", language="nl")},
        {"search": Search(text="brief", language="nl")},
        {"search": Search(text="brief", language="nl"), "is_read": False},
    ],
    ids=str,
)
def test_a_page_that_needs_it_is_planned_for_its_ebox_however_often_it_is_asked(
    application, superuser, grow, asked
):
    ebox = an_ebox()
    _fill(superuser, ebox, 10)
    grow(ebox)
    known = KnownSizes(large_from=2)
    known.note(ebox, is_large=True)
    # Of listings: the brackets keep this very question, which the driver prepares too, out of it.
    names = "SELECT name FROM pg_prepared_statements WHERE statement ~ 'json_[a]gg'"

    with application.begin() as connection:
        name_ebox(connection, ebox)
        before = connection.exec_driver_sql(names).scalars().all()
        for _ in range(12):
            message_list.read_page(
                connection,
                ebox,
                MessageQuery(**asked),
                partitions=None,
                now=NOON,
                known_sizes=known,
            )

        assert connection.exec_driver_sql(names).scalars().all() == before


def test_the_counts_of_another_ebox_are_seen_and_asked_by_nobody(application, superuser, grow):
    ebox, other = an_ebox(), an_ebox()
    _fill(superuser, other, 1)
    grow(other)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        for table in ("large_eboxes", "message_counts", "message_count_changes"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        with pytest.raises(ProgrammingError, match="row-level security"):
            large_eboxes.ask_for_counts(connection, an_ebox())


def _fill(superuser, ebox, count):
    with superuser.begin() as connection:
        file_messages(connection, ebox, count)


def _list_ids(superuser, ebox):
    order = "ORDER BY received_at DESC, message_id DESC"
    order = f"SELECT message_id FROM messages WHERE ebox = :ebox {order}"
    return execute(superuser, order, ebox).scalars().all()


def _is_large(superuser, ebox):
    return bool(execute(superuser, "SELECT FROM large_eboxes WHERE ebox = :ebox", ebox).all())
