"""Each table and partition is vacuumed as revision 0021 says, with the reason in the docs."""

import threading
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from registry import migrations
from tests.conftest import ROLE

pytestmark = pytest.mark.process

CARE = import_module("registry.migrations.versions.0021_autovacuum").CARE
PAGE = Path(__file__).parents[2] / "docs/operators.md"
OPTIONS = text("""
SELECT relname, coalesce(reloptions, '{}') AS options FROM pg_class
WHERE relkind = 'r' AND relname ~ ('^' || :table || '(_[0-9]+|_[0-9]{4}_[0-9]{2}|_default)?$')
""")
# What revision 0018 gives to the trail, in its functions too.
OF_THE_TRAIL = {"autovacuum_freeze_min_age=0", "autovacuum_vacuum_insert_scale_factor=0.05"}


def read_options(engine, table):
    """The storage parameters of each part of a table."""
    with engine.connect() as connection:
        rows = connection.execute(OPTIONS, {"table": table}).all()
    assert rows
    return {row.relname: set(row.options) for row in rows}


def promised(care):
    return {f"{name}={value}" for name, value in care.settings.items()}


def unfulfilled(engine):
    """The parts that do not have what is promised."""
    return [
        part
        for care in CARE
        for table in care.tables
        for part, options in read_options(engine, table).items()
        if options != promised(care)
    ]


def test_a_new_database_has_what_is_promised(empty_database):
    migrations.upgrade(empty_database, ROLE)

    assert unfulfilled(empty_database) == []
    counts = [len(read_options(empty_database, table)) for table in ("outbox", "audit_seals")]
    assert counts == [16, 1]


def test_a_database_of_before_has_it_too_and_a_way_back_takes_it(empty_database):
    migrations.upgrade(empty_database, ROLE, "0020")
    before = unfulfilled(empty_database)

    migrations.upgrade(empty_database, ROLE)

    assert {"messages_0", "outbox_15", "audit_seals"} <= set(before)
    assert unfulfilled(empty_database) == []

    migrations.downgrade(empty_database, ROLE, "0020")

    for care in CARE:
        for table in care.tables:
            assert set().union(*read_options(empty_database, table).values()) == set()


def test_months_and_years_of_the_trail_have_theirs_also_new_ones(empty_database):
    migrations.upgrade(empty_database, ROLE)
    before = set(read_options(empty_database, "audit_entries"))

    with empty_database.begin() as connection:
        connection.execute(text("SELECT prepare_audit_months(30)"))

    months = read_options(empty_database, "audit_entries")
    assert len(months) > len(before)
    for options in (*months.values(), *read_options(empty_database, "audit_sheaves").values()):
        assert options >= OF_THE_TRAIL


def test_who_writes_and_reads_does_not_wait_and_is_not_waited_for(empty_database):
    migrations.upgrade(empty_database, ROLE, "0020")
    application = create_engine(empty_database.url)

    with application.begin() as writing:
        for care in CARE:
            for table in care.tables:
                writing.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of our own
        migrations.upgrade(empty_database, ROLE, "0021", patience=0)

    assert unfulfilled(empty_database) == []
    application.dispose()


def test_a_vacuum_that_is_under_way_is_waited_for(empty_database):
    migrations.upgrade(empty_database, ROLE, "0020")

    with empty_database.connect() as vacuuming:
        # As a vacuum has it, and longer than a migration waits for other locks.
        vacuuming.execute(text("LOCK TABLE messages_3 IN SHARE UPDATE EXCLUSIVE MODE"))
        timer = threading.Timer(1.5, vacuuming.close)
        timer.start()
        migrations.upgrade(empty_database, ROLE, "0021", patience=0)
        timer.join()

    assert unfulfilled(empty_database) == []


@pytest.mark.parametrize("care", CARE, ids=lambda care: care.tables[0])
def test_the_page_for_operators_has_each_setting_with_its_reason(care):
    tables = ", ".join(f"`{table}`" for table in care.tables)
    settings = ", ".join(f"`{name} = {value}`" for name, value in care.settings.items())

    assert f"| {tables} | {settings} | {care.reason} |" in PAGE.read_text()
