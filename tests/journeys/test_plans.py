"""A million messages, a million events told: what is due is found without looking at the rest."""

import json
import os
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, event, text

from registry.services.events.reminders import Reminders
from registry.store.events import delivery
from registry.store.retention import purge
from tests.alone import a_database
from tests.factories import NOON

MANY = int(os.environ.get("JOURNEY_MESSAGES", "0"))
EBOXES = 1000
DUE = 60  # of each kind
BATCH = 50
BIG = ("messages", "outbox", "attachments", "sent_messages")

# With fewer rows PostgreSQL rightly reads all of them.
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(MANY < 1_000_000, reason="JOURNEY_MESSAGES is not 1000000"),
]

# Received over a year, kept for two; one in ten is unread, and reminded long ago. Of the last ones
# some are due: to be reminded of, to be alerted about, to be deleted, to be told.
_MESSAGES = """
INSERT INTO messages (ebox, message_id, received_at, expires_at, read_at, is_registered,
  is_reply_authorized, partition, message_type_id, sender, subject, is_reminded, is_alerted)
SELECT 'enterprise:' || lpad((n % :eboxes)::text, 10, '0'), gen_random_uuid(), received,
  CASE kind WHEN 'alert' THEN :now + n % 160 * interval '1 hour'
    WHEN 'expired' THEN :now - n % 100 * interval '1 hour'
    ELSE received + interval '2 years' END,
  CASE WHEN n % 10 > 0 AND kind = 'quiet' THEN received + interval '1 hour' END,
  false, false, 'GENERAL', 'summons', lpad((n % 211)::text, 10, '0'), '{}',
  kind <> 'remind', kind = 'quiet'
FROM (
  SELECT n, :now - interval '16 days' - n % 8000 * interval '1 hour' AS received,
    CASE WHEN n <= :due THEN 'remind' WHEN n <= 2 * :due THEN 'alert'
      WHEN n <= 3 * :due THEN 'expired' ELSE 'quiet' END AS kind
  FROM generate_series(1, :many) AS n) made
"""
_TOLD = """
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, state, settled_at, is_bulk)
SELECT ebox, gen_random_uuid(), 'newDocument', message_id, received_at, 'told', received_at, false
FROM messages
"""
_WAITING = """
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, is_bulk)
SELECT ebox, gen_random_uuid(), 'readDocument', message_id, :now - interval '1 hour', number % 2 = 0
FROM (SELECT *, row_number() OVER () AS number FROM messages WHERE read_at IS NOT NULL LIMIT :due) m
"""
_HELD = """
INSERT INTO legal_holds (ebox, hold_id, why, set_at)
SELECT 'enterprise:' || lpad((n + 500)::text, 10, '0'), gen_random_uuid(), 'a lawsuit', :now
FROM generate_series(1, 100) AS n
"""
_FILES = """
INSERT INTO attachments (ebox, message_id, attachment_id, position, file_name, is_main, media_type,
  size, digest, is_signed, blob_key)
SELECT ebox, message_id, '1', 0, 'a.pdf', true, 'application/pdf', 1, '', false, message_id::text
FROM messages WHERE expires_at < :later
"""
_SENT = """
INSERT INTO sent_messages (ebox, message_id, partition, recipient, idempotency_key)
SELECT 'enterprise:' || sender, message_id, 'GENERAL', ebox, message_id::text FROM messages
WHERE expires_at < :later
"""


@pytest.fixture(scope="module")
def crowd(cluster, settings):
    """The worker's database with all of them."""
    with a_database(cluster, settings, database_statement_timeout=600) as alone:
        name = alone.owner.url.database
        superuser = create_engine(cluster.url("postgres", name))
        known = {"now": NOON, "many": MANY, "due": DUE, "eboxes": EBOXES}
        known["later"] = NOON + timedelta(days=365 + 110)  # a good part of them
        with superuser.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # no keys
            for statement in (_MESSAGES, _TOLD, _WAITING, _HELD, _FILES, _SENT):
                connection.execute(text(statement), known)
        with superuser.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # As autovacuum does it: it looks at hash partitions and never at what they are part of.
            parts = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
            names = connection.execute(text(parts)).scalars().all()
            connection.execute(text(f"VACUUM ANALYZE {', '.join(names)}"))
        superuser.dispose()
        yield alone


@pytest.fixture
def plans(crowd):
    """What PostgreSQL does for every statement that the worker's role executes in the test."""
    seen = []

    def explain(connection, _cursor, statement, parameters, *_):
        with connection.connection.driver_connection.cursor() as cursor:
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
