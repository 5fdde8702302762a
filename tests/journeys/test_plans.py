"""A million messages, a million events told: what is due is found without looking at the rest."""

import json
import os
from datetime import timedelta

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import create_engine, event

from registry.services.events.reminders import Reminders
from registry.store.events import delivery
from registry.store.retention import purge
from tests.alone import a_database
from tests.factories import NOON
from tests.journeys.crowd import DUE, fill_ebox_tables, vacuum_partitions

MANY = int(os.environ.get("JOURNEY_MESSAGES", "0"))
BATCH = 50
BIG = ("messages", "outbox", "attachments", "sent_messages")

# With fewer rows PostgreSQL rightly reads all of them.
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(MANY < 1_000_000, reason="JOURNEY_MESSAGES is not 1000000"),
]


@pytest.fixture(scope="module")
def crowd(cluster, settings):
    """The worker's database with all of them."""
    with a_database(cluster, settings, database_statement_timeout=600) as alone:
        name = alone.owner.url.database
        superuser = create_engine(cluster.url("postgres", name))
        with superuser.begin() as connection:
            fill_ebox_tables(connection, MANY)
        vacuum_partitions(superuser)
        superuser.dispose()
        yield alone


@pytest.fixture
def plans(crowd):
    """What PostgreSQL does for every statement that the worker's role executes in the test."""
    seen = []

    def explain(connection, _cursor, statement, parameters, *_):
        driver = connection.connection.driver_connection
        if driver.info.transaction_status != TransactionStatus.INTRANS:
            return  # a new connection is checked before its first transaction
        with driver.cursor() as cursor:
            cursor.execute("SAVEPOINT before")
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            seen.append(cursor.fetchone()[0][0]["Plan"])
            cursor.execute("ROLLBACK TO before")

    event.listen(crowd.worker.engine, "before_cursor_execute", explain)
    yield seen
    event.remove(crowd.worker.engine, "before_cursor_execute", explain)


def steps(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps(below)


def of_a_big_table(plan):
    for step in steps(plan):
        table, _, number = step.get("Relation Name", "").rpartition("_")
        if table in BIG and number.isdigit():
            yield step


def examined(step):
    """How many rows were looked at, kept or not."""
    counts = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return step["Actual Loops"] * sum(step.get(count, 0) for count in counts)


def assert_only_what_is_due_is_looked_at(plans, rows):
    for plan in plans:
        scans = [step for step in of_a_big_table(plan) if "Scan" in step["Node Type"]]
        read = [step for step in scans if step["Node Type"] == "Seq Scan" and examined(step)]
        assert not read, json.dumps(plan, indent=1)
        assert sum(map(examined, scans)) <= rows, json.dumps(plan, indent=1)


def test_reminders_are_found_among_all_messages(crowd, plans):
    days = timedelta(days=15), timedelta(days=7)
    reminders = Reminders(crowd.worker, lambda: NOON, *days)

    found = reminders.remind(), reminders.alert()

    assert found == (DUE, DUE)
    assert_only_what_is_due_is_looked_at(plans, 10 * DUE)


def test_expired_messages_are_found_and_deleted_among_all(crowd, plans):
    with crowd.worker() as connection:
        gone = purge.delete_expired(connection, now=NOON, limit=BATCH)

    assert len(gone) == BATCH
    assert_only_what_is_due_is_looked_at(plans, 10 * DUE)


def test_what_waits_is_found_among_all_that_was_told(crowd, plans):
    with crowd.worker() as connection:
        waiting = delivery.count_backlog(connection, NOON).waiting
    with crowd.worker() as connection:
        claimed = delivery.claim(connection, now=NOON, limit=BATCH, lease=timedelta(minutes=1))
    with crowd.worker() as connection:
        delivery.settle(connection, claimed[::2], outcome="told", now=NOON)
        delivery.release(connection, claimed[1::2], reason=None)
        backlog = delivery.count_backlog(connection, NOON)

    assert len(claimed) == BATCH
    assert backlog.waiting == waiting - len(claimed[::2])
    assert_only_what_is_due_is_looked_at(plans, 10 * DUE)
