"""A page of a search in a large e-Box ends where it has its messages.

Revision ID: 0023
Revises: 0022

The program before this one goes on asking search_ebox() with three arguments.
"""

from alembic import context, op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_FUNCTION = r"""
-- The messages of the named e-Box with a folded text in them or in the names of their type, their
-- application or their sender. With `newest`, those of a large e-Box are looked for among so many
-- of its newest messages, and no more are given than `enough`, the newest; NULL is for all. Without
-- it all are found, by index. A small e-Box is read through.
--
-- LIKE is not leakproof, so under row-level security it never reaches an index. This function has
-- the owner's rights and therefore names the e-Box itself, from the same setting as the policies.
CREATE OR REPLACE FUNCTION search_ebox(language text, words text, newest int, enough int)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = {schema}, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
-- No partition is read whole, as others' texts lie there too; nor an e-Box for its newest messages.
DECLARE
  named text := current_setting('registry.ebox', true);
  is_large boolean := EXISTS (
    SELECT FROM large_eboxes WHERE ebox = named AND counted_at IS NOT NULL);
  pattern text := '%' || regexp_replace(words, '([\\%_])', '\\\1', 'g') || '%';
  types text[];
  applications text[];
  organizations text[];
  by_name boolean;
BEGIN
  IF language IS NULL OR language NOT IN ('nl', 'fr', 'de') THEN
    RAISE invalid_parameter_value USING MESSAGE = 'no texts are kept in this language';
  END IF;
  IF words IS NULL OR words = '' OR newest < 0 OR enough < 0 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'nothing is looked for';
  END IF;
  EXECUTE format('SELECT array_agg(message_type_id) FROM message_types WHERE %I LIKE $1',
    'folded_' || language) INTO types USING pattern;
  EXECUTE format('SELECT array_agg(application_id) FROM sender_applications WHERE %I LIKE $1',
    'folded_' || language) INTO applications USING pattern;
  EXECUTE format('SELECT array_agg(organization_id) FROM sender_organizations WHERE %I LIKE $1',
    'folded_' || language) INTO organizations USING pattern;
  by_name := types IS NOT NULL OR applications IS NOT NULL OR organizations IS NOT NULL;
  IF NOT is_large THEN
    RETURN QUERY EXECUTE format(
      'SELECT message_id FROM search_texts WHERE ebox = $1 AND %I LIKE $2', language)
      USING named, pattern;
    IF by_name THEN
      RETURN QUERY SELECT message_id FROM messages
        WHERE ebox = named AND (message_type_id = ANY(types)
          OR sender_application_id = ANY(applications) OR sender = ANY(organizations));
    END IF;
    RETURN;
  END IF;
  IF newest > 0 AND by_name THEN
    RETURN QUERY EXECUTE format(
      'SELECT m.message_id FROM (
         SELECT received_at, message_id, message_type_id, sender_application_id, sender
         FROM messages WHERE ebox = $1 AND withdrawn_at IS NULL
         ORDER BY received_at DESC, message_id DESC LIMIT $6
       ) AS m JOIN search_texts s ON s.ebox = $1 AND s.message_id = m.message_id
       WHERE s.%I LIKE $2 OR m.message_type_id = ANY($3) OR m.sender_application_id = ANY($4)
         OR m.sender = ANY($5)
       ORDER BY m.received_at DESC, m.message_id DESC LIMIT $7', language)
      USING named, pattern, types, applications, organizations, newest, enough;
    RETURN;
  END IF;
  IF newest > 0 THEN  -- an index has all that is read of a message
    RETURN QUERY EXECUTE format(
      'SELECT m.message_id FROM (
         SELECT received_at, message_id FROM messages WHERE ebox = $1 AND withdrawn_at IS NULL
         ORDER BY received_at DESC, message_id DESC LIMIT $3
       ) AS m JOIN search_texts s ON s.ebox = $1 AND s.message_id = m.message_id
       WHERE s.%I LIKE $2 ORDER BY m.received_at DESC, m.message_id DESC LIMIT $4', language)
      USING named, pattern, newest, enough;
    RETURN;
  END IF;
  -- Where nothing is a letter or digit, there are no three at a time to find it by. LIKE is kept
  -- away from the index there: the planner would expect that it reads all of it.
  IF length(words) < 3 OR words !~ '[[:alnum:]]' THEN
    RETURN QUERY EXECUTE format(
      'SELECT message_id FROM search_texts WHERE ebox = $1 AND is_large
         AND letter_pairs(nl, fr, de) @> ARRAY[left($3, 2)] AND %I || '''' LIKE $2', language)
      USING named, pattern, words;
  ELSE
    RETURN QUERY EXECUTE format(
      'SELECT message_id FROM search_texts WHERE ebox = $1 AND is_large AND %I LIKE $2', language)
      USING named, pattern;
  END IF;
  IF types IS NOT NULL THEN
    RETURN QUERY SELECT m.message_id FROM messages m
      WHERE m.ebox = named AND m.is_large AND m.message_type_id = ANY(types);
  END IF;
  IF applications IS NOT NULL THEN
    RETURN QUERY SELECT m.message_id FROM messages m
      WHERE m.ebox = named AND m.is_large AND m.sender_application_id = ANY(applications);
  END IF;
  IF organizations IS NOT NULL THEN
    RETURN QUERY SELECT m.message_id FROM messages m
      WHERE m.ebox = named AND m.is_large AND m.sender = ANY(organizations);
  END IF;
END $$;
"""
_SEARCH = "search_ebox(text, text, int, int)"


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
