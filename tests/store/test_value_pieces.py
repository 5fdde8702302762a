"""Rows are looked for by pieces of ids, digests, keys and subjects, and found by the whole."""

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, event, text

from registry.store.consultation import carriers
from registry.store.consultation.messages import filter_unclaimed
from registry.store.documents import inventory, lost_publications
from registry.store.events import administration
from registry.store.retention import (
    document_erasures,
    document_rounds,
    message_overview,
    withdrawals,
)
from tests.databases import migrated_database
from tests.factories import NOON, a_file, an_ebox

pytestmark = pytest.mark.process

# Enough for a plan that does not read every partition from end to end.
MESSAGES = """
INSERT INTO messages (ebox, message_id, received_at, expires_at, is_registered,
  is_reply_authorized, partition, message_type_id, sender, subject)
SELECT 'enterprise:0' || 100000000 + n, gen_random_uuid(), now(), now() + interval '90 days',
  false, false, 'GENERAL', 'tax-assessment', '0308357159', jsonb_build_object('nl', n)
FROM generate_series(1, 40000) AS n
"""
FILES = """
INSERT INTO attachments (ebox, message_id, attachment_id, position, file_name, is_main, media_type,
  size, digest, is_signed, blob_key)
SELECT ebox, message_id, '1', 0, 'a.pdf', true, 'application/pdf', 1,
  translate(encode(sha256(message_id::text::bytea), 'base64'), '+/', '-_'), false,
  'documents/' || message_id || '-1'
FROM messages
"""
ERASURES = "INSERT INTO doomed_documents (blob_key, due_at) SELECT 'documents/x', now()"
ID = UUID("20000000-0000-4000-8000-000000000000")  # most documents come behind it
KEY = f"documents/{ID}-1"


@pytest.fixture(scope="module")
def full(cluster):
    """The worker's engine on a database with many documents."""
    with migrated_database(cluster, "pieces") as urls:
        owner, worker = create_engine(urls.owner), create_engine(urls.worker)
        with owner.begin() as connection:
            for statement in (MESSAGES, FILES, ERASURES, "ANALYZE messages", "ANALYZE attachments"):
                connection.execute(text(statement))
        yield worker
        for engine in (owner, worker):
            engine.dispose()


def explain(engine, ask):
    """The lines of the plans of all that it sends."""
    lines = []

    def look(connection, _cursor, statement, parameters, *_):
        with connection.connection.driver_connection.cursor() as cursor:
            lines.extend(line for (line,) in cursor.execute(f"EXPLAIN {statement}", parameters))

    event.listen(engine, "before_cursor_execute", look)
    try:
        with engine.connect() as connection:
            ask(connection)
    finally:
        event.remove(engine, "before_cursor_execute", look)
    return lines


def claim_erasures(connection):
    return document_erasures.claim_erasures(connection, limit=9, lease=timedelta(minutes=1))


QUESTIONS = {
    "copies": (lambda c: message_overview.list_copies(c, ID, limit=9), "messages", "id"),
    "known": (lambda c: administration.has_message(c, ID), "messages", "id"),
    "counts": (lambda c: withdrawals.count_copies(c, ID, None), "messages", "id"),
    "holder": (lambda c: withdrawals.find_holder(c, ID, None), "messages", "id"),
    "lock": (lambda c: withdrawals.lock_copies(c, ID, None, limit=9), "messages", "id"),
    "digest": (lambda c: carriers.find_by_digest(c, "ab" * 22, limit=9), "attachments", "digest"),
    "subject": (lambda c: carriers.find_by_subject(c, "ab" * 32, limit=9), "messages", "subject"),
    "erasures": (claim_erasures, "attachments", "key"),
    "promised": (lambda c: document_rounds.is_promised(c, KEY), "attachments", "key"),
    "round": (lambda c: document_rounds.list_next(c, KEY, 50), "attachments", "key"),
    "documents": (
        lambda c: inventory.list_documents(c, None, after=KEY, limit=5), "attachments", "key",
    ),
    "unclaimed": (
        lambda c: inventory.find_unclaimed(c, [KEY], due_before=NOON), "attachments", "key",
    ),
    "mark": (lambda c: inventory.mark(c, KEY, None), "attachments", "key"),
    "lost": (lambda c: lost_publications.find_lost(c, [ID]), "attachments", "key"),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_goes_by_pieces(full, question):
    ask, table, piece = QUESTIONS[question]
    index = f"ix_{table}_{piece}_piece"

    plan = explain(full, ask)

    assert any(index in line for line in plan), "\n".join(plan)
    assert not [line for line in plan if "Seq Scan" in line and f" on {table}" in line]


def test_the_sweep_reads_no_partition_whole(full):
    scans = text(
        "SELECT sum(seq_scan), sum(idx_scan) FROM pg_stat_xact_user_tables"
        " WHERE relname LIKE 'attachments_%'"
    )
    with full.begin() as connection:
        before = connection.execute(scans).one()  # of this connection, and not yet handed in
        unclaimed = list(filter_unclaimed(connection, [KEY]))
        after = connection.execute(scans).one()

    assert unclaimed == [KEY]
    assert [int(now - then) for now, then in zip(after, before, strict=True)] == [0, 16]


@pytest.mark.parametrize("question", ["round", "documents"])
def test_a_walk_sorts_what_has_one_piece_and_not_all(full, question):
    def ask(connection):
        # For so few documents the planner may sort them all, as statistics happen to be.
        connection.connection.driver_connection.execute("SET LOCAL enable_sort = off")
        QUESTIONS[question][0](connection)

    plan = explain(full, ask)

    assert any("Incremental Sort" in line for line in plan), "\n".join(plan)


def test_what_has_the_same_piece_is_another(alone):
    subjects = {}
    for subject in range(10_000):
        hashed = hashlib.sha256(str(subject).encode()).hexdigest()
        other = subjects.setdefault(hashed[:3], subject)
        if other != subject:
            break
    pairs = []
    for letter, digest, message_id in (
        (subject, "abX", UUID("00000000-0000-4000-8000-000000000abc")),
        (other, "abY", UUID("11111111-1111-4111-8111-111111111abc")),
    ):
        key = f"documents/12345-{letter}"
        alone.put(
            an_ebox(), a_file(digest=digest, blob_key=key), message_id=message_id,
            subject={"nl": str(letter)},
        )  # fmt: skip
        pairs.append((message_id, digest, hashlib.sha256(str(letter).encode()).hexdigest(), key))

    with alone.worker() as connection:
        for message_id, digest, hashed, key in pairs:
            of_digest = carriers.find_by_digest(connection, digest, limit=9)
            of_subject = carriers.find_by_subject(connection, hashed, limit=9)
            assert [each.message_id for each in of_digest] == [message_id]
            assert [each.message_id for each in of_subject] == [message_id]
            assert len(message_overview.list_copies(connection, message_id, limit=9)) == 1
            assert withdrawals.count_copies(connection, message_id, None).copies == 1
            assert document_rounds.is_promised(connection, key)
        assert not document_rounds.is_promised(connection, "documents/12345-")
        assert carriers.find_by_digest(connection, "ab", limit=9) == []


def walk(alone, list_next):
    """All keys that a walk of small batches comes by, the store's order kept."""
    keys, after = [], ""
    with alone.worker() as connection:
        while batch := list_next(connection, after):
            keys += [each.blob_key for each in batch]
            after = keys[-1]
    return keys


WALKS = {
    "round": lambda connection, after: document_rounds.list_next(connection, after, 3),
    "check": lambda connection, after: inventory.list_documents(
        connection, None, after=after, limit=3
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_comes_by_each_document_once_whatever_its_key(alone, name):
    keys = {
        "a", "documents/", "documents/a", "documents/ab-1", "documents/ab_1", "documents/abcde-1",
        "documents/abcde-2", "seed/1/1", "seed/1/2", "Z", "étage/documents/abcde", "2026/abcde-9",
    }  # fmt: skip
    for key in keys:
        message_id = uuid4()
        for _ in range(4):
            alone.put(an_ebox(), a_file(blob_key=key), message_id=message_id)

    walked = walk(alone, WALKS[name])

    assert (len(walked), set(walked)) == (len(keys), keys)


@pytest.mark.parametrize("name", WALKS)
def test_keys_of_uploads_are_in_their_order_as_of_old(alone, name):
    keys = sorted(f"documents/{uuid4()}-{number}" for number in (1, 2, 3) for _ in range(7))
    for key in keys:
        alone.put(an_ebox(), a_file(blob_key=key))

    assert walk(alone, WALKS[name]) == keys
