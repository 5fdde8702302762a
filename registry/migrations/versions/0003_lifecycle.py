"""Lifecycle: events on their way out, reminders, legal holds, proofs of deletion, the worker."""

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PARTITIONS = 16

# What the worker may do; its login is a member of the application's role too, for all else.
_GRANTS = {
    "SELECT, INSERT, DELETE": "outbox",
    "UPDATE (state, is_bulk, claimed_until, attempts, reason, settled_at, due_at)": "outbox",
    "SELECT, DELETE": "messages, sent_messages",
    "UPDATE (is_reminded, is_alerted)": "messages",
    "SELECT": "attachments",
    "SELECT, INSERT, UPDATE": "legal_holds",
    "SELECT, INSERT": "deletions",
    "SELECT, INSERT, UPDATE, DELETE": "doomed_documents, turns",
}
# Where the worker looks across e-Boxes; the application's role sees the named one alone.
_EVERY_EBOX = ("outbox", "messages", "sent_messages", "attachments", "legal_holds")

_TABLES = """
ALTER TABLE messages ADD COLUMN is_reminded BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE messages ADD COLUMN is_alerted BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX ix_messages_to_remind ON messages (received_at)
  WHERE read_at IS NULL AND is_visible AND NOT is_reminded;
CREATE INDEX ix_messages_to_alert ON messages (expires_at)
  WHERE read_at IS NULL AND is_visible AND NOT is_alerted;
CREATE INDEX ix_messages_expires_at ON messages (expires_at);

ALTER TABLE outbox ADD COLUMN is_bulk BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE outbox ADD COLUMN state TEXT DEFAULT 'waiting' NOT NULL;
ALTER TABLE outbox ADD COLUMN claimed_until TIMESTAMPTZ;
ALTER TABLE outbox ADD COLUMN attempts INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE outbox ADD COLUMN reason TEXT;
ALTER TABLE outbox ADD COLUMN settled_at TIMESTAMPTZ;
ALTER TABLE outbox ADD CONSTRAINT ck_outbox_state
  CHECK (state IN ('waiting', 'told', 'dead', 'skipped', 'withdrawn'));
CREATE INDEX ix_outbox_waiting ON outbox (is_bulk, due_at) WHERE state = 'waiting';
CREATE INDEX ix_outbox_dead ON outbox (settled_at) WHERE state = 'dead';
CREATE INDEX ix_outbox_correlation_id ON outbox (correlation_id);
CREATE INDEX ix_outbox_message_id ON outbox (message_id, ebox);

CREATE TABLE legal_holds (
  ebox TEXT NOT NULL,
  hold_id UUID NOT NULL,
  message_id UUID,
  why TEXT NOT NULL,
  set_at TIMESTAMPTZ NOT NULL,
  lifted_at TIMESTAMPTZ,
  lifted_why TEXT,
  CONSTRAINT pk_legal_holds PRIMARY KEY (ebox, hold_id)
) PARTITION BY HASH (ebox);

CREATE TABLE deletions (
  ebox_hash TEXT NOT NULL,
  message_id UUID NOT NULL,
  documents JSONB NOT NULL,
  expired_at TIMESTAMPTZ NOT NULL,
  deleted_at TIMESTAMPTZ NOT NULL,
  why TEXT NOT NULL,
  CONSTRAINT pk_deletions PRIMARY KEY (ebox_hash, message_id)
);
CREATE INDEX ix_deletions_message_id ON deletions (message_id);

CREATE TABLE doomed_documents (
  doom_id BIGINT GENERATED ALWAYS AS IDENTITY,
  blob_key TEXT NOT NULL,
  due_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_doomed_documents PRIMARY KEY (doom_id)
);
CREATE INDEX ix_doomed_documents_due_at ON doomed_documents (due_at);

CREATE TABLE turns (
  duty TEXT NOT NULL,
  taken_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_turns PRIMARY KEY (duty)
);
"""

# The events of a broadcast go where they do not hold up those of single publications.
_BULK = (
    """INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at)
    SELECT w.ebox, w.event, 'newDocument', message, at""",
    """INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, is_bulk)
    SELECT w.ebox, w.event, 'newDocument', message, at, true""",
)
_LINK = "link_message(uuid, text[], text[], boolean[], uuid[], timestamptz)"


def _rewrite_link(before: str, after: str) -> None:
    """Replace one statement of link_message() and leave all else as it is."""
    connection = op.get_bind()
    definition: str = connection.exec_driver_sql(
        f"SELECT pg_get_functiondef('{_LINK}'::regprocedure)"
    ).scalar_one()
    if before not in definition:
        raise RuntimeError("link_message() is not the one that revision 0002 made")
    connection.exec_driver_sql(definition.replace(before, after))


def upgrade() -> None:
    """Add what a message's life needs; the worker's role must exist or be ours to create."""
    role = context.config.attributes["worker_role"]
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"
        f' CREATE ROLE "{role}" NOLOGIN; END IF; END $$'
    )
    op.execute(_TABLES)
    for remainder in range(_PARTITIONS):
        op.execute(
            f"CREATE TABLE legal_holds_{remainder} PARTITION OF legal_holds"
            f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {remainder})"
        )
    op.execute("ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_ebox ON legal_holds"
        " USING (ebox = current_setting('registry.ebox', true))"
    )
    for table in _EVERY_EBOX:
        op.execute(f'CREATE POLICY every_ebox ON {table} TO "{role}" USING (true)')
    _rewrite_link(*_BULK)
    op.execute(f'GRANT USAGE ON SCHEMA {schema} TO "{role}"')
    for privileges, tables in _GRANTS.items():
        op.execute(f'GRANT {privileges} ON {tables} TO "{role}"')


def downgrade() -> None:
    """Take it away again, with the holds, the proofs and what was told; waiting events stay."""
    role = context.config.attributes["worker_role"]
    for table in _EVERY_EBOX:
        op.execute(f"DROP POLICY every_ebox ON {table}")
    for table in ("legal_holds", "deletions", "doomed_documents", "turns"):
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("DELETE FROM outbox WHERE state <> 'waiting'")
    for index in ("ix_outbox_correlation_id", "ix_outbox_message_id"):
        op.execute(f"DROP INDEX {index}")
    for column in ("is_bulk", "state", "claimed_until", "attempts", "reason", "settled_at"):
        op.execute(f"ALTER TABLE outbox DROP COLUMN {column}")
    op.execute("DROP INDEX ix_messages_expires_at")
    for column in ("is_reminded", "is_alerted"):
        op.execute(f"ALTER TABLE messages DROP COLUMN {column}")
    _rewrite_link(*reversed(_BULK))
    op.execute(f'REVOKE ALL ON outbox, messages, sent_messages, attachments FROM "{role}"')
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(f'REVOKE USAGE ON SCHEMA {schema} FROM "{role}"')
