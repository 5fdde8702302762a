"""The newest matches of a search in a large e-Box come with what a page is cut by.

Revision ID: 0024
Revises: 0023

The program before this one goes on asking search_ebox() alone.
"""

from alembic import context, op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_FUNCTION = r"""
-- Those among so many newest messages of the named e-Box that have a folded text in them, or in the
-- names of their type, their application or their sender, the newest first: no more than `enough`,
-- and none that has expired. Nothing of a small e-Box.
--
-- LIKE is not leakproof, so under row-level security it never reaches an index. This function has
-- the owner's rights and therefore names the e-Box itself, from the same setting as the policies.
CREATE FUNCTION search_newest(language text, words text, newest int, enough int, now timestamptz)
RETURNS TABLE (message_id uuid, received_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = {schema}, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  named text := current_setting('registry.ebox', true);
  pattern text := '%' || regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%';
  types text[];
  applications text[];
  organizations text[];
BEGIN
  IF language IS NULL OR language NOT IN ('nl', 'fr', 'de') THEN
    RAISE invalid_parameter_value USING MESSAGE = 'no texts are kept in this language';
  END IF;
  IF words IS NULL OR words = '' OR newest IS NULL OR newest < 1 OR enough < 0 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'nothing is looked for';
  END IF;
  IF NOT EXISTS (SELECT FROM large_eboxes WHERE ebox = named AND counted_at IS NOT NULL) THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT array_agg(message_type_id) FROM message_types WHERE %I LIKE $1',
    'folded_' || language) INTO types USING pattern;
  EXECUTE format('SELECT array_agg(application_id) FROM sender_applications WHERE %I LIKE $1',
    'folded_' || language) INTO applications USING pattern;
  EXECUTE format('SELECT array_agg(organization_id) FROM sender_organizations WHERE %I LIKE $1',
    'folded_' || language) INTO organizations USING pattern;
  IF types IS NULL AND applications IS NULL AND organizations IS NULL THEN
    -- An index has all that is read of a message.
    RETURN QUERY EXECUTE format(
      'SELECT m.message_id, m.received_at FROM (
         SELECT received_at, message_id, expires_at FROM messages
         WHERE ebox = $1 AND withdrawn_at IS NULL
         ORDER BY received_at DESC, message_id DESC LIMIT $3
       ) AS m JOIN search_texts s ON s.ebox = $1 AND s.message_id = m.message_id
       WHERE m.expires_at > $5 AND s.%I LIKE $2
       ORDER BY m.received_at DESC, m.message_id DESC LIMIT $4', language)
      USING named, pattern, newest, enough, now;
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT m.message_id, m.received_at FROM (
       SELECT received_at, message_id, expires_at, message_type_id, sender_application_id, sender
       FROM messages WHERE ebox = $1 AND withdrawn_at IS NULL
       ORDER BY received_at DESC, message_id DESC LIMIT $3
     ) AS m JOIN search_texts s ON s.ebox = $1 AND s.message_id = m.message_id
     WHERE m.expires_at > $5 AND (s.%I LIKE $2 OR m.message_type_id = ANY($6)
       OR m.sender_application_id = ANY($7) OR m.sender = ANY($8))
     ORDER BY m.received_at DESC, m.message_id DESC LIMIT $4', language)
    USING named, pattern, newest, enough, now, types, applications, organizations;
END $$;
"""
_SEARCH = "search_newest(text, text, int, int, timestamptz)"


def upgrade() -> None:
    """Add the function."""
    application = context.config.attributes["application_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    connection.exec_driver_sql(_FUNCTION.replace("{schema}", schema).replace("%", "%%"))
    op.execute(f"REVOKE ALL ON FUNCTION {_SEARCH} FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION {_SEARCH} TO "{application}"')


def downgrade() -> None:
    """Take it away again."""
    op.execute(f"DROP FUNCTION {_SEARCH}")
