"""Functions with the owner's rights take apart what they are given.

Revision ID: 0005
Revises: 0004

Whoever may call them may call them with anything: a month before Christ had the name of a month of
ours, lists of different lengths were filled up with NULL. Each looks at its arguments first.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION search_messages(language text, pattern text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = {schema}, pg_temp AS $$
DECLARE
  named text := current_setting('registry.ebox', true);
  types text[];
  applications text[];
  organizations text[];
BEGIN
  IF language IS NULL OR language NOT IN ('nl', 'fr', 'de') THEN
    RAISE invalid_parameter_value USING MESSAGE = 'no texts are kept in this language';
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT message_id FROM search_texts WHERE ebox = $1 AND %I LIKE $2', language)
    USING named, pattern;
  EXECUTE format('SELECT array_agg(message_type_id) FROM message_types WHERE %I LIKE $1',
    'folded_' || language) INTO types USING pattern;
  EXECUTE format('SELECT array_agg(application_id) FROM sender_applications WHERE %I LIKE $1',
    'folded_' || language) INTO applications USING pattern;
  EXECUTE format('SELECT array_agg(organization_id) FROM sender_organizations WHERE %I LIKE $1',
    'folded_' || language) INTO organizations USING pattern;
  IF types IS NOT NULL THEN
    RETURN QUERY SELECT message_id FROM messages
      WHERE ebox = named AND message_type_id = ANY(types);
  END IF;
  IF applications IS NOT NULL THEN
    RETURN QUERY SELECT message_id FROM messages
      WHERE ebox = named AND sender_application_id = ANY(applications);
  END IF;
  IF organizations IS NOT NULL THEN
    RETURN QUERY SELECT message_id FROM messages
      WHERE ebox = named AND sender = ANY(organizations);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION link_message(
  message uuid, recipients text[], into_partitions text[], pending boolean[], events uuid[],
  at timestamptz
) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  first_recipient text;
  linked text[];
BEGIN
  IF message IS NULL OR NOT isfinite(at)
    OR cardinality(recipients) > 100000
    OR cardinality(recipients) IS DISTINCT FROM cardinality(into_partitions)
    OR cardinality(recipients) IS DISTINCT FROM cardinality(pending)
    OR cardinality(recipients) IS DISTINCT FROM cardinality(events)
    OR EXISTS (SELECT FROM unnest(recipients) AS key
      WHERE key IS NULL OR key !~ '^(enterprise:[01][0-9]{9}|citizen:[0-9]{11})$')
  THEN
    RAISE invalid_parameter_value USING MESSAGE = 'these are no recipients of a message';
  END IF;
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
  INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at, is_bulk)
    SELECT w.ebox, w.event, 'newDocument', message, at, true
    FROM unnest(recipients, events) AS w(ebox, event)
    WHERE w.ebox = ANY(linked)
    ON CONFLICT DO NOTHING;
  RETURN QUERY SELECT unnest(linked);
END $$;

CREATE OR REPLACE FUNCTION prepare_audit_months(ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
  month timestamptz;
  name text;
  made int := 0;
BEGIN
  IF ahead IS NULL OR ahead NOT BETWEEN 0 AND 36 THEN
    RAISE EXCEPTION 'Between 0 and 36 months can be prepared, not %.', ahead;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('prepare_audit_months'));
  FOR month IN SELECT date_trunc('month', now()) + make_interval(months => i)
    FROM generate_series(0, ahead) AS i
  LOOP
    name := to_char(month, '"audit_entries_"YYYY_MM');
    CONTINUE WHEN to_regclass(current_schema() || '.' || name) IS NOT NULL OR EXISTS (
      SELECT FROM audit_entries_default
      WHERE recorded_at >= month AND recorded_at < month + interval '1 month');
    EXECUTE format('CREATE TABLE %I (LIKE audit_entries INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE audit_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      name, month, month + interval '1 month');
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

CREATE OR REPLACE FUNCTION drop_audit_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
SET timezone = 'UTC' SET lock_timeout = '200ms' AS $$
DECLARE
  first timestamptz := date_trunc('month', month);
  ended timestamptz := date_trunc('month', month) + interval '1 month';
  -- The end of the last seal before which all are stored.
  sealed xid8 := (SELECT until_xid FROM audit_seals s WHERE NOT EXISTS (
      SELECT FROM audit_seals u WHERE u.seal_number <= s.seal_number AND u.stored_at IS NULL)
    ORDER BY seal_number DESC LIMIT 1);
BEGIN
  -- A date has years before Christ and after 9999, which to_char gives the same name as ours.
  IF month IS NULL OR NOT isfinite(month) OR month NOT BETWEEN '2000-01-01' AND current_date THEN
    RAISE invalid_parameter_value USING MESSAGE = 'there is no such month of the audit trail';
  END IF;
  IF audit_month_kept_until(month) > clock_timestamp() THEN
    RAISE EXCEPTION 'The audit trail of % is kept until %.', to_char(month, 'YYYY-MM'),
      audit_month_kept_until(month);
  END IF;
  IF EXISTS (SELECT FROM audit_entries WHERE recorded_at >= first AND recorded_at < ended
    AND (sealed IS NULL OR xid >= sealed)) THEN
    RAISE EXCEPTION 'The audit trail of % is not all under a stored seal.',
      to_char(month, 'YYYY-MM');
  END IF;
  DELETE FROM audit_entries_default WHERE recorded_at >= first AND recorded_at < ended;
  EXECUTE format('DROP TABLE IF EXISTS %I', to_char(month, '"audit_entries_"YYYY_MM'));
END $$;
"""


def upgrade() -> None:
    """Replace the functions; who may call them stays as it is."""
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    connection.exec_driver_sql(_FUNCTIONS.replace("{schema}", schema).replace("%", "%%"))


def downgrade() -> None:
    """Leave them: the stricter functions have the signatures of the former, and serve them too."""
