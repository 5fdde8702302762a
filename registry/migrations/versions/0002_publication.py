"""Publication: keys used once, routing rules, federation events, broadcasts, sweeping."""

from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PARTITIONS = 16
_BY_EBOX = ("routing_rules", "federation_events")

_GRANTS = {
    "SELECT, INSERT, UPDATE, DELETE": "routing_rules",
    "SELECT, INSERT": "federation_events",
    "UPDATE (partition, is_routing_pending)": "messages",
}

_TABLES = """
ALTER TABLE messages ADD COLUMN is_routing_pending BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX ix_messages_ebox_routing_pending ON messages (ebox) WHERE is_routing_pending;

ALTER TABLE sent_messages ADD COLUMN application_id TEXT DEFAULT '' NOT NULL;
ALTER TABLE sent_messages ADD COLUMN idempotency_key TEXT;
ALTER TABLE sent_messages ADD CONSTRAINT uq_sent_messages_key
  UNIQUE (ebox, application_id, idempotency_key);

CREATE INDEX ix_attachments_blob_key ON attachments (blob_key);

CREATE TABLE routing_rules (
  ebox TEXT NOT NULL,
  rules JSONB NOT NULL,
  told_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_routing_rules PRIMARY KEY (ebox)
) PARTITION BY HASH (ebox);

CREATE TABLE federation_events (
  ebox TEXT NOT NULL,
  source TEXT NOT NULL,
  event_id TEXT NOT NULL,
  happened_at TIMESTAMPTZ NOT NULL,
  received_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_federation_events PRIMARY KEY (ebox, source, event_id)
) PARTITION BY HASH (ebox);
"""

# Questions that span e-Boxes, each narrowed to what its asker may know; they have the owner's
# rights, like search_messages().
_FUNCTIONS = """
CREATE FUNCTION unclaimed_documents(keys text[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
  SELECT key FROM unnest(keys) AS key
  WHERE NOT EXISTS (SELECT FROM attachments WHERE blob_key = key)
$$;

CREATE FUNCTION rules_of(eboxes text[]) RETURNS TABLE (owner text, rules jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
  SELECT ebox, routing_rules.rules FROM routing_rules WHERE ebox = ANY(eboxes)
$$;

-- Copies a message that the named e-Box sent into other e-Boxes; its documents are shared. Gives
-- the e-Boxes that did not have it yet.
CREATE FUNCTION link_message(
  message uuid, recipients text[], into_partitions text[], pending boolean[], events uuid[],
  at timestamptz
) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  first_recipient text;
  linked text[];
BEGIN
  SELECT recipient INTO first_recipient FROM sent_messages
    WHERE ebox = current_setting('registry.ebox', true) AND message_id = message;
  IF first_recipient IS NULL THEN
    RETURN;
  END IF;
  WITH wanted AS (
    SELECT * FROM unnest(recipients, into_partitions, pending) AS w(ebox, part, is_pending)
  ), copied AS (
    INSERT INTO messages (ebox, message_id, received_at, expires_at, is_registered,
      is_reply_authorized, partition, is_routing_pending, original_message_id, message_type_id,
      sender, sender_partition, sender_application_id, subject, body, is_body_main, attention,
      business_data, payment_data, structured_data, action_id, action_label, message_template_id)
    SELECT w.ebox, m.message_id, at, m.expires_at, m.is_registered,
      m.is_reply_authorized, w.part, w.is_pending, m.original_message_id, m.message_type_id,
      m.sender, m.sender_partition, m.sender_application_id, m.subject, m.body, m.is_body_main,
      m.attention, m.business_data, m.payment_data, m.structured_data, m.action_id,
      m.action_label, m.message_template_id
    FROM messages m CROSS JOIN wanted w
    WHERE m.ebox = first_recipient AND m.message_id = message AND m.expires_at > at
    ON CONFLICT DO NOTHING
    RETURNING ebox
  )
  SELECT array_agg(ebox) INTO linked FROM copied;
  INSERT INTO search_texts (ebox, message_id, nl, fr, de)
    SELECT l, s.message_id, s.nl, s.fr, s.de FROM search_texts s CROSS JOIN unnest(linked) AS l
    WHERE s.ebox = first_recipient AND s.message_id = message;
  INSERT INTO attachments (ebox, message_id, attachment_id, position, title, file_name, is_main,
      media_type, size, digest, is_signed, blob_key)
    SELECT l, a.message_id, a.attachment_id, a.position, a.title, a.file_name, a.is_main,
      a.media_type, a.size, a.digest, a.is_signed, a.blob_key
    FROM attachments a CROSS JOIN unnest(linked) AS l
    WHERE a.ebox = first_recipient AND a.message_id = message;
  INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at)
    SELECT w.ebox, w.event, 'newDocument', message, at
    FROM unnest(recipients, events) AS w(ebox, event)
    WHERE w.ebox = ANY(linked)
    ON CONFLICT DO NOTHING;
  RETURN QUERY SELECT unnest(linked);
END $$;

-- How messages that the named e-Box sent fare with those who got them.
CREATE FUNCTION sent_statuses(messages_asked uuid[], recipients text[], at timestamptz)
RETURNS TABLE (message uuid, recipient text, expires timestamptz, is_read boolean,
  is_visible boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
  SELECT m.message_id, m.ebox, m.expires_at, m.read_at IS NOT NULL, m.is_visible
  FROM unnest(messages_asked, recipients) AS asked(message_id, ebox)
  JOIN messages m ON m.ebox = asked.ebox AND m.message_id = asked.message_id
  WHERE 'enterprise:' || m.sender = current_setting('registry.ebox', true) AND m.expires_at > at
$$;
"""


_SIGNATURES = (
    "unclaimed_documents(text[])",
    "rules_of(text[])",
    "link_message(uuid, text[], text[], boolean[], uuid[], timestamptz)",
    "sent_statuses(uuid[], text[], timestamptz)",
)


def upgrade() -> None:
    """Add what publication needs."""
    role = context.config.attributes["application_role"]
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_TABLES)
    for table in _BY_EBOX:
        for remainder in range(_PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_{remainder} PARTITION OF {table}"
                f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {remainder})"
            )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_ebox ON {table}"
            " USING (ebox = current_setting('registry.ebox', true))"
        )
    op.get_bind().exec_driver_sql(_FUNCTIONS.replace("{schema}", schema))
    for signature in _SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {signature} TO "{role}"')
    for privileges, tables in _GRANTS.items():
        op.execute(f'GRANT {privileges} ON {tables} TO "{role}"')


def downgrade() -> None:
    """Take it away again; events and rules are asked anew after the next upgrade."""
    for signature in _SIGNATURES:
        op.execute(f"DROP FUNCTION {signature}")
    for table in _BY_EBOX:
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("DROP INDEX ix_attachments_blob_key")
    op.execute("ALTER TABLE sent_messages DROP CONSTRAINT uq_sent_messages_key")
    op.execute("ALTER TABLE sent_messages DROP COLUMN idempotency_key")
    op.execute("ALTER TABLE sent_messages DROP COLUMN application_id")
    op.execute("DROP INDEX ix_messages_ebox_routing_pending")
    op.execute("ALTER TABLE messages DROP COLUMN is_routing_pending")
