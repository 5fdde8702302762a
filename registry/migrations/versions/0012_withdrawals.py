"""Messages that an operator withdrew are shown to nobody, and kept.

Revision ID: 0012
Revises: 0011

Their rows stay where they are: the policy of the table hides them from the application's role, on
whatever clock and by whatever question. The sender is told by a function of a new name, since the
program before this one goes on asking the other.
"""

from alembic import context, op

from registry.migrations.indexes import create_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OWN_EBOX = "ebox = current_setting('registry.ebox', true)"

# The worker may withdraw, and change nothing else of what a message says.
_WITHDRAW = """
CREATE OR REPLACE FUNCTION withdraw_copies(message uuid, eboxes text[], at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  IF message IS NULL OR eboxes IS NULL OR cardinality(eboxes) > 100000 OR at IS NULL
    OR NOT isfinite(at)
  THEN
    RAISE invalid_parameter_value USING MESSAGE = 'these are no copies of a message';
  END IF;
  UPDATE messages
  SET withdrawn_at = at, original_expires_at = expires_at, expires_at = least(expires_at, at)
  WHERE ebox = ANY(eboxes) AND message_id = message AND withdrawn_at IS NULL;
END $$;
"""

# How messages that the named e-Box sent fare with those who got them; of one that was withdrawn
# until it would have expired.
_STATES = """
CREATE OR REPLACE FUNCTION sent_states(messages_asked uuid[], recipients text[], at timestamptz)
RETURNS TABLE (message uuid, recipient text, expires timestamptz, is_read boolean,
  is_visible boolean, withdrawal timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
  SELECT m.message_id, m.ebox, m.expires_at, m.read_at IS NOT NULL,
    m.is_visible AND m.withdrawn_at IS NULL, m.withdrawn_at
  FROM unnest(messages_asked, recipients) AS asked(message_id, ebox)
  JOIN messages m ON m.ebox = asked.ebox AND m.message_id = asked.message_id
  WHERE 'enterprise:' || m.sender = current_setting('registry.ebox', true)
    AND coalesce(m.original_expires_at, m.expires_at) > at
$$;
"""
_STATES_SIGNATURE = "sent_states(uuid[], text[], timestamptz)"
_WITHDRAW_SIGNATURE = "withdraw_copies(uuid, text[], timestamptz)"


def upgrade() -> None:
    """Add the mark, which the worker's role alone sets, and what finds a message by its id."""
    roles = context.config.attributes
    application, worker = roles["application_role"], roles["worker_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    # Each of the table's partitions may wait for its lock as long, while readers queue up behind.
    op.execute("SET LOCAL lock_timeout = '100ms'")
    op.execute(
        "ALTER TABLE messages ADD COLUMN IF NOT EXISTS withdrawn_at TIMESTAMPTZ,"
        " ADD COLUMN IF NOT EXISTS original_expires_at TIMESTAMPTZ"
    )
    op.execute(f"ALTER POLICY own_ebox ON messages USING ({_OWN_EBOX} AND withdrawn_at IS NULL)")
    for signature, definition, role in (
        (_STATES_SIGNATURE, _STATES, application),
        (_WITHDRAW_SIGNATURE, _WITHDRAW, worker),
    ):
        connection.exec_driver_sql(definition.replace("{schema}", schema))
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {signature} TO "{role}"')
    create_index("ix_messages_message_id", "messages", "(message_id)")


def downgrade() -> None:
    """Take it away again; what was withdrawn stays expired, and under its hold."""
    op.execute("DROP INDEX ix_messages_message_id")
    for signature in (_STATES_SIGNATURE, _WITHDRAW_SIGNATURE):
        op.execute(f"DROP FUNCTION {signature}")
    op.execute(f"ALTER POLICY own_ebox ON messages USING ({_OWN_EBOX})")
    op.execute("ALTER TABLE messages DROP COLUMN withdrawn_at, DROP COLUMN original_expires_at")
