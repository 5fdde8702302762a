"""A million messages and what belongs to them, in the words of every revision since 0003."""

from datetime import timedelta

from sqlalchemy import text

from tests.factories import NOON

EBOXES = 1000
DUE = 60  # of each kind

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
_TEXTS = """
INSERT INTO search_texts (ebox, message_id, nl, fr, de)
SELECT ebox, message_id, t, t, t FROM (
  SELECT ebox, message_id, 'brief ' || left(message_id::text, 8) AS t FROM messages) AS made
"""


def fill_ebox_tables(connection, many):
    """Put so many messages there, for a thousand enterprises; nothing but them may be there."""
    known = {"now": NOON, "many": many, "due": DUE, "eboxes": EBOXES}
    known["later"] = NOON + timedelta(days=365 + 110)  # a good part of them
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no keys
    for statement in (_MESSAGES, _TEXTS, _TOLD, _WAITING, _HELD, _FILES, _SENT):
        connection.execute(text(statement), known)


def vacuum_partitions(engine):
    """Look at partitions as autovacuum does: never at what they are part of."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        parts = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
        names = connection.execute(text(parts)).scalars().all()
        connection.execute(text(f"VACUUM ANALYZE {', '.join(names)}"))
