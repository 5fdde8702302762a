"""One plan for all e-Boxes: it reads a page, and never an e-Box, whatever it expects of one."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from registry.domain.queries import MessageQuery, Page, Search
from registry.migrations.partitions import divide
from registry.services.consultation.ebox_sizes import EboxSizes
from registry.store.bounded_connection import get_driver
from registry.store.consultation import large_eboxes, message_list, statistics
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from tests.alone import a_database
from tests.factories import NOON, an_ebox
from tests.large_eboxes import file_messages

MANY = 3_000
SOME = 400
NEIGHBOURS = 16_000  # indexes of one partition differ in height
# Rows of the tables, by an index or without; those of an index alone are among them before VACUUM.
READ_ROWS = text(
    "SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables"
    " WHERE relname ~ '^(messages|attachments)_[0-9]'"
)


@pytest.fixture(scope="module", params=[16, 1], ids="{} partitions".format)
def crowd(cluster, settings, request):
    """An e-Box that is large and one that is not, among thousands with a message each."""
    with a_database(cluster, settings) as alone:
        with alone.owner.connect() as connection:
            divide(connection, request.param)
        with alone.owner.begin() as connection:
            _make_indexes_anew(connection)
        large, small = an_ebox(), an_ebox()
        with alone.owner.begin() as connection:
            for ebox, count in ((large, MANY), (small, SOME)):
                file_messages(connection, ebox, count)
            connection.execute(
                text(
                    "INSERT INTO messages (ebox, message_id, received_at, expires_at,"
                    " is_registered, is_reply_authorized, partition, message_type_id, sender,"
                    " subject)"
                    " SELECT 'enterprise:' || n, gen_random_uuid(), :noon,"
                    " :noon + interval '1 year', false, false, 'GENERAL', 'summons',"
                    " '0308357159', '{}' FROM generate_series(1, :count) AS n"
                ),
                {"noon": NOON, "count": NEIGHBOURS},
            )
        with alone.application(large) as connection:
            large_eboxes.ask_for_counts(connection, large)
        list(EboxSizes(alone.worker, lambda: NOON).mark_all())
        with alone.owner.begin() as connection:
            connection.execute(text("ANALYZE messages, attachments"))
        yield alone.application, large, small


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"is_read": False},
        {"is_visible": True, "is_registered": False},
        {"page": Page(number=3)},
        {"page": Page(number=115)},
    ],
    ids=str,
)
def test_a_page_reads_its_own_messages_alone(crowd, asked, is_large):
    application, large, small = crowd
    ebox = large if is_large else small
    query = MessageQuery(**asked)

    with application(ebox, plans_once=message_list.is_planned_once(query)) as connection:
        before = connection.execute(READ_ROWS).scalar_one()
        page = _read(connection, ebox, query, is_large=is_large)
        rows = connection.execute(READ_ROWS).scalar_one() - before

    # Twice at most: as a key, on its own page or before it, and as a message.
    far = MANY - query.page.offset if query.page.offset > 1_000 else query.page.offset + 25
    assert page.total == (MANY if is_large else SOME)
    assert rows <= (far + 25 if is_large else SOME + 25)


@pytest.mark.parametrize("has_partitions", [True, False])
def test_statistics_read_no_message_but_the_newest(crowd, has_partitions):
    application, large, _ = crowd
    sizes = KnownSizes(large_from=1_000)
    sizes.note(large, is_large=True)

    with application(large, plans_once=True) as connection:
        before = connection.execute(READ_ROWS).scalar_one()
        counts = statistics.count_messages(
            connection,
            large,
            partitions=frozenset({"GENERAL"}) if has_partitions else None,
            now=NOON,
            soon=NOON + timedelta(days=7),
            known_sizes=sizes,
        )
        rows = connection.execute(READ_ROWS).scalar_one() - before

    assert (counts.messages, counts.unread) == (MANY, MANY)
    assert rows == 1


@pytest.mark.parametrize(
    ("asked", "is_once"),
    [
        ({}, True),
        ({"is_read": True, "is_action_required": False, "page": Page(number=400)}, True),
        ({"partitions": frozenset({"GENERAL"})}, True),
        ({"search": Search(text="brief", language="nl")}, False),
        ({"message_type_id": "summons"}, False),
        ({"received_after": NOON, "is_read": True}, False),
    ],
    ids=str,
)
def test_what_needs_to_know_the_ebox_is_planned_for_it(crowd, asked, is_once):
    application, large, _ = crowd
    query = MessageQuery(**asked)

    with application(large, plans_once=message_list.is_planned_once(query)) as connection:
        modes = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("plan_cache_mode", "enable_sort")
        ]

    assert modes == (["force_generic_plan", "off"] if is_once else ["auto", "on"])


def test_the_next_transaction_plans_as_usual(crowd):
    application, large, _ = crowd
    with application(large, plans_once=True):
        pass

    with application(large) as connection:
        assert connection.exec_driver_sql("SHOW plan_cache_mode").scalar_one() == "auto"
        get_driver(connection).begin_anew(large.key)
        assert connection.exec_driver_sql("SHOW enable_sort").scalar_one() == "on"


def test_where_nothing_is_prepared_a_page_is_planned_for_its_ebox(settings):
    pooled = Transactions(make_engine(settings.model_copy(update={"database_pooler": True})))
    try:
        with pooled(an_ebox(), plans_once=True) as connection:
            mode = connection.exec_driver_sql("SHOW plan_cache_mode").scalar_one()
    finally:
        pooled.engine.dispose()

    assert mode == "auto"


def _make_indexes_anew(connection):
    """Make those of large e-Boxes in the order of their names, as a dump that is restored does.

    Of two ways that are expected to cost the same, the planner takes the index that came last.
    """
    names = "SELECT relname FROM pg_class WHERE relname ~ '^ix_messages_large_.*[^0-9]$'"
    for name in sorted(connection.exec_driver_sql(names).scalars()):
        definition = f"SELECT pg_get_indexdef('{name}'::regclass)"
        made = connection.exec_driver_sql(definition).scalar_one()
        connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql(made.replace(" ON ONLY ", " ON "))


def _read(connection, ebox, query, *, is_large):
    sizes = KnownSizes(large_from=1_000)
    sizes.note(ebox, is_large=is_large)
    return message_list.read_page(
        connection, ebox, query, partitions=None, now=NOON, known_sizes=sizes
    )
