"""What operators and `forget` ask of the outbox stays quick when it has ten million events."""

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from registry.store.events import administration, event_memory
from tests.databases import migrated_database

# Enough for a plan that does not read every partition from end to end.
REMEMBERED = """
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, state, settled_at)
SELECT 'enterprise:0' || 100000000 + n, gen_random_uuid(), 'newDocument', gen_random_uuid(),
  now(), CASE WHEN n % 50 = 0 THEN 'dead' WHEN n % 51 = 0 THEN 'waiting' ELSE 'told' END,
  now() - n * interval '1 minute'
FROM generate_series(1, 30000) AS n
"""


@pytest.fixture(scope="module")
def full(cluster):
    """The worker's engine on a database that remembers many events."""
    with migrated_database(cluster, "events") as urls:
        owner, worker = create_engine(urls.owner), create_engine(urls.worker)
        with owner.begin() as connection:
            connection.execute(text(REMEMBERED))
            connection.execute(text("ANALYZE outbox"))
        yield worker
        for engine in (owner, worker):
            engine.dispose()


QUESTIONS = {
    "find": (administration._FIND, ("correlation_id_idx", "message_id_ebox_idx")),
    "replay": (administration._REPLAY, ("correlation_id_idx",)),
    "skip": (administration._SKIP, ("correlation_id_idx",)),
    "dead": (administration._DEAD, ("settled_at_idx",)),
    "replay_dead": (administration._REPLAY_DEAD, ("settled_at_idx", "correlation_id_idx", "pkey")),
    "due": (administration._DUE, ("is_bulk_due_at_idx",)),
    "forget": (event_memory._LOCK, ("ix_outbox_told",)),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_the_outbox_from_end_to_end(full, question):
    statement, indexes = QUESTIONS[question]
    with full.connect() as connection:
        one = connection.scalar(text("SELECT correlation_id FROM outbox LIMIT 1"))
        now = connection.scalar(text("SELECT now()"))
        values = {"id": one, "ids": [one], "now": now, "before": now, "limit": 10, "why": "test"}
        values["from"] = now - timedelta(days=3)
        asked = {name: values[name] for name in statement.compile().params}

        plan = connection.execute(text(f"EXPLAIN {statement}"), asked).scalars().all()

    scans = [line for line in plan if "Scan" in line and " on outbox" in line]
    assert not [line for line in scans if "Seq Scan" in line]
    used = [line for line in scans if "Index" in line]
    assert used
    assert not [line for line in used if not any(index in line for index in indexes)]


def test_a_batch_is_forgotten_without_reading_the_outbox_from_end_to_end(full):
    with full.connect() as connection:
        horizon = connection.scalar(text("SELECT now() - interval '20 days'"))
        told = {"from": horizon - timedelta(days=5), "before": horizon, "limit": 1000}
        rows = connection.execute(event_memory._LOCK, told).all()
        keys = {"eboxes": [row.ebox for row in rows], "ids": [row.correlation_id for row in rows]}
        values = {**keys, "from": told["from"], "until": rows[-1].settled_at}

        plan = connection.execute(text(f"EXPLAIN {event_memory._DELETE}"), values).scalars().all()

    assert len(rows) == 1000
    assert not [line for line in plan if "Seq Scan" in line]
    assert [line for line in plan if "ix_outbox_told" in line]
