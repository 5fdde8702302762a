"""Broadcasts are recorded first, and filed in chunks of bounded size.

Revision ID: 0007
Revises: 0006

A broadcast to 8,000 e-Boxes was one transaction of 27 seconds. What it owes is a row now, so that
whoever finds it unfinished can go on where it stopped.
"""

from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PARTITIONS = 16
_FILED_COLUMNS = "filed, recipients, moved_at, finished_at"

# `ebox` is the sender's. Gone with the sender's memory of the message, and not before: whoever
# records a broadcast locks that memory, so that no purge takes it away meanwhile.
_TABLE = """
CREATE TABLE broadcasts (
  ebox TEXT NOT NULL,
  broadcast_id UUID NOT NULL,
  message_id UUID NOT NULL,
  message_type_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  idempotency_key TEXT,
  digest BYTEA NOT NULL,
  recipients TEXT[] NOT NULL,
  refusals TEXT[] NOT NULL,
  links INTEGER NOT NULL,
  filed INTEGER DEFAULT 0 NOT NULL,
  moved_at TIMESTAMPTZ DEFAULT clock_timestamp() NOT NULL,
  finished_at TIMESTAMPTZ,
  CONSTRAINT pk_broadcasts PRIMARY KEY (ebox, broadcast_id),
  CONSTRAINT uq_broadcasts_key UNIQUE (ebox, application_id, idempotency_key),
  CONSTRAINT fk_broadcasts_ebox FOREIGN KEY (ebox, message_id)
    REFERENCES sent_messages (ebox, message_id) ON DELETE CASCADE
) PARTITION BY HASH (ebox);
CREATE INDEX ix_broadcasts_ebox_message_id ON broadcasts (ebox, message_id);
CREATE INDEX ix_broadcasts_unfinished ON broadcasts (moved_at) WHERE finished_at IS NULL;
"""

# Records a broadcast of a message that the named e-Box sent and that has not expired; gives the one
# that has the key, old or new, and nothing for any other message. The first recipient's message is
# locked until the record is there to tell the purge that the message is still needed.
_RECORD = """
CREATE FUNCTION record_broadcast(
  message uuid, asked text[], refused text[], fingerprint bytea, key text, at timestamptz
) RETURNS TABLE (broadcast uuid, of_message uuid, of_asked bytea, linked int, refusals text[],
  expires timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  named text := current_setting('registry.ebox', true);
  application text;
  first_recipient text;
  kind text;
  expiry timestamptz;
  made uuid := gen_random_uuid();
BEGIN
  IF message IS NULL OR at IS NULL OR NOT isfinite(at) OR fingerprint IS NULL OR refused IS NULL
    OR asked IS NULL OR cardinality(asked) + cardinality(refused) > 100000
    OR EXISTS (SELECT FROM unnest(asked) AS each
      WHERE each IS NULL OR each !~ '^(enterprise:[01][0-9]{9}|citizen:[0-9]{11})$')
  THEN
    RAISE invalid_parameter_value USING MESSAGE = 'these are no recipients of a broadcast';
  END IF;
  SELECT s.application_id, s.recipient INTO application, first_recipient FROM sent_messages s
    WHERE s.ebox = named AND s.message_id = message;
  SELECT m.message_type_id, m.expires_at INTO kind, expiry FROM messages m
    WHERE m.ebox = first_recipient AND m.message_id = message AND m.expires_at > at
    FOR KEY SHARE;
  IF kind IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO broadcasts AS b (ebox, broadcast_id, message_id, message_type_id, application_id,
      idempotency_key, digest, recipients, refusals, links, finished_at)
    VALUES (named, made, message, kind, application, key, fingerprint, asked, refused,
      cardinality(asked), CASE WHEN cardinality(asked) = 0 THEN at END)
    ON CONFLICT ON CONSTRAINT uq_broadcasts_key DO NOTHING;
  RETURN QUERY SELECT b.broadcast_id, b.message_id, b.digest, b.links, b.refusals, expiry
    FROM broadcasts b WHERE b.ebox = named AND (b.broadcast_id = made
      OR b.application_id = application AND b.idempotency_key = key);
END $$;
"""
_RECORD_SIGNATURE = "record_broadcast(uuid, text[], text[], bytea, text, timestamptz)"

# That the message has not expired is asked once, when the broadcast is recorded: one that expires
# while it is under way would else be left out of some e-Boxes, and be in others.
_LINK = "link_message(uuid, text[], text[], boolean[], uuid[], timestamptz)"
_UNEXPIRED = (
    "WHERE m.ebox = first_recipient AND m.message_id = message AND m.expires_at > at\n",
    "WHERE m.ebox = first_recipient AND m.message_id = message\n",
)


def _rewrite_link(before: str, after: str) -> None:
    """Replace one condition of link_message() and leave all else as it is."""
    connection = op.get_bind()
    definition: str = connection.exec_driver_sql(
        f"SELECT pg_get_functiondef('{_LINK}'::regprocedure)"
    ).scalar_one()
    if before not in definition:
        raise RuntimeError("link_message() is not the one that revision 0005 made")
    connection.exec_driver_sql(definition.replace(before, after).replace("%", "%%"))


def upgrade() -> None:
    """Add the table of broadcasts, and what records them."""
    roles = context.config.attributes
    application, worker = roles["application_role"], roles["worker_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_TABLE)
    for remainder in range(_PARTITIONS):
        op.execute(
            f"CREATE TABLE broadcasts_{remainder} PARTITION OF broadcasts"
            f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {remainder})"
        )
    op.execute("ALTER TABLE broadcasts ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_ebox ON broadcasts USING (ebox = current_setting('registry.ebox', true))"
    )
    op.execute(f'CREATE POLICY every_ebox ON broadcasts TO "{worker}" USING (true)')
    connection.exec_driver_sql(_RECORD.replace("{schema}", schema).replace("%", "%%"))
    op.execute(f"REVOKE ALL ON FUNCTION {_RECORD_SIGNATURE} FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION {_RECORD_SIGNATURE} TO "{application}"')
    op.execute(f'GRANT SELECT, UPDATE ({_FILED_COLUMNS}) ON broadcasts TO "{application}"')
    _rewrite_link(*_UNEXPIRED)


def downgrade() -> None:
    """Take it away again; what a broadcast has not filed by then is never filed."""
    _rewrite_link(*reversed(_UNEXPIRED))
    op.execute(f"DROP FUNCTION {_RECORD_SIGNATURE}")
    op.execute("DROP TABLE broadcasts")
