"""What a listing costs no longer grows with the e-Box.

Revision ID: 0016
Revises: 0015

An e-Box that has grown large is marked, and its messages and texts with it: they are counted as
they come and go, and only they have indexes for filters. Who writes waits for nobody:
each transaction adds what it changed, and the worker sums up.
"""

from alembic import context, op

from registry.migrations.indexes import create_index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE IF NOT EXISTS large_eboxes (
  ebox TEXT NOT NULL,
  asked_by BIGINT DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
  counted_at TIMESTAMPTZ,
  CONSTRAINT pk_large_eboxes PRIMARY KEY (ebox)
);
CREATE TABLE IF NOT EXISTS message_counts (
  ebox TEXT NOT NULL,
  partition TEXT NOT NULL,
  is_read BOOLEAN NOT NULL,
  is_visible BOOLEAN NOT NULL,
  is_registered BOOLEAN NOT NULL,
  is_action_required BOOLEAN NOT NULL,
  messages BIGINT NOT NULL,
  CONSTRAINT pk_message_counts PRIMARY KEY
    (ebox, partition, is_read, is_visible, is_registered, is_action_required)
);
CREATE TABLE IF NOT EXISTS message_count_changes (
  ebox TEXT NOT NULL,
  change_number BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
  partition TEXT NOT NULL,
  is_read BOOLEAN NOT NULL,
  is_visible BOOLEAN NOT NULL,
  is_registered BOOLEAN NOT NULL,
  is_action_required BOOLEAN NOT NULL,
  messages BIGINT NOT NULL,
  CONSTRAINT pk_message_count_changes PRIMARY KEY (ebox, change_number)
);
"""
_OWN_TABLES = ("large_eboxes", "message_counts", "message_count_changes")
_MARKED_TABLES = ("messages", "search_texts")

_MARK = """
-- What the e-Box is when a row comes in, is what the row says of itself.
CREATE OR REPLACE FUNCTION mark_large() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  NEW.is_large := EXISTS (SELECT FROM large_eboxes WHERE ebox = NEW.ebox);
  RETURN NEW;
END $$;
"""
_KIND = "ebox, partition, is_read, is_visible, is_registered, is_action_required"
# What was withdrawn counts no more; what has expired counts until it is purged.
_COUNT = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  INSERT INTO message_count_changes ({kind}, messages)
  SELECT {kind}, sum(difference) FROM ({rows}) AS counted
  GROUP BY {kind} HAVING sum(difference) <> 0;
  RETURN NULL;
END $$;
"""
_ROWS = """
    SELECT ebox, coalesce(partition, '') AS partition, read_at IS NOT NULL AS is_read, is_visible,
      is_registered, action_id IS NOT NULL AND action_executed_at IS NULL AS is_action_required,
      {difference} AS difference
    FROM {table} WHERE is_large AND withdrawn_at IS NULL
"""
_ADDED = _ROWS.format(table="added", difference=1)
_REMOVED = _ROWS.format(table="removed", difference=-1)
_COUNTED = {
    "count_added": _ADDED,
    "count_removed": _REMOVED,
    "count_changed": f"{_ADDED} UNION ALL {_REMOVED}",
}
_TRIGGERS = """
CREATE OR REPLACE TRIGGER mark_large BEFORE INSERT ON messages
  FOR EACH ROW EXECUTE FUNCTION mark_large();
CREATE OR REPLACE TRIGGER mark_large BEFORE INSERT ON search_texts
  FOR EACH ROW EXECUTE FUNCTION mark_large();
CREATE OR REPLACE TRIGGER count_added AFTER INSERT ON messages REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_added();
CREATE OR REPLACE TRIGGER count_removed AFTER DELETE ON messages REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION count_removed();
CREATE OR REPLACE TRIGGER count_changed AFTER UPDATE ON messages
  REFERENCING NEW TABLE AS added OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION count_changed();
"""
_ORDER = "(ebox, received_at DESC, message_id DESC)"
_BY = (
    "(ebox, {}, received_at DESC, message_id DESC) INCLUDE (expires_at, withdrawn_at)"
    " WHERE is_large"
)
_FILTERS = ("message_type_id", "sender", "sender_application_id")
_FUNCTIONS = ("mark_large", *_COUNTED)


def upgrade() -> None:
    """Add marks, counts and indexes; take away what they replace. Nothing is marked yet."""
    roles = context.config.attributes
    application, worker = roles["application_role"], roles["worker_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    # Each of a table's partitions may wait for its lock as long, while readers queue up behind.
    op.execute("SET LOCAL lock_timeout = '100ms'")
    op.execute(_TABLES)
    for table in _OWN_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        _create_policy(
            f"own_ebox ON {table}", "USING (ebox = current_setting('registry.ebox', true))"
        )
        _create_policy(f"every_ebox ON {table}", f'TO "{worker}" USING (true)')
        op.execute(f'GRANT SELECT ON {table} TO "{application}"')
    for table in _MARKED_TABLES:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS is_large BOOLEAN DEFAULT false NOT NULL"
        )
        op.execute(f'GRANT UPDATE (is_large) ON {table} TO "{worker}"')
    op.execute(f'GRANT INSERT (ebox) ON large_eboxes TO "{application}"')
    op.execute(f'GRANT UPDATE (counted_at), DELETE ON large_eboxes TO "{worker}"')
    op.execute(f'GRANT INSERT, UPDATE, DELETE ON message_counts TO "{worker}"')
    op.execute(f'GRANT DELETE ON message_count_changes TO "{worker}"')
    op.execute(f'GRANT SELECT (ebox, message_id, is_large) ON search_texts TO "{worker}"')
    _create_policy("every_ebox ON search_texts", f'TO "{worker}" USING (true)')
    op.execute(_MARK.format(schema=schema))
    for function, rows in _COUNTED.items():
        op.execute(_COUNT.format(function=function, schema=schema, kind=_KIND, rows=rows))
    for function in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function}() FROM PUBLIC")
    op.execute(_TRIGGERS)
    create_index("ix_messages_newest", "messages", f"{_ORDER} INCLUDE (expires_at, withdrawn_at)")
    for column in _FILTERS:
        create_index(f"ix_messages_large_{column}", "messages", _BY.format(column))
    create_index(
        "ix_messages_large_expires_at",
        "messages",
        "(ebox, expires_at) INCLUDE (read_at, withdrawn_at, partition) WHERE is_large",
    )
    for index in ("ix_messages_ebox", *(f"ix_messages_ebox_{column}" for column in _FILTERS)):
        op.execute(f"DROP INDEX IF EXISTS {index}")


def _create_policy(policy: str, of: str) -> None:
    """Create a policy anew: the revision may have broken off behind it."""
    op.execute(f"DROP POLICY IF EXISTS {policy}")
    op.execute(f"CREATE POLICY {policy} {of}")


def downgrade() -> None:
    """Take it away again, and give back the indexes that it replaced."""
    for index in ("ix_messages_newest", "ix_messages_large_expires_at"):
        op.execute(f"DROP INDEX {index}")
    for column in _FILTERS:
        op.execute(f"DROP INDEX ix_messages_large_{column}")
        op.execute(f"CREATE INDEX ix_messages_ebox_{column} ON messages (ebox, {column})")
    op.execute(f"CREATE INDEX ix_messages_ebox ON messages {_ORDER}")
    for trigger in _FUNCTIONS:
        op.execute(f"DROP TRIGGER {trigger} ON messages")
    op.execute("DROP TRIGGER mark_large ON search_texts")
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    worker = context.config.attributes["worker_role"]
    op.execute("DROP POLICY every_ebox ON search_texts")
    op.execute(f'REVOKE ALL (ebox, message_id, is_large) ON search_texts FROM "{worker}"')
    for table in _MARKED_TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN is_large")
    for table in _OWN_TABLES:
        op.execute(f"DROP TABLE {table}")
