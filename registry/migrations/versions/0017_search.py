"""A search goes by an index in large e-Boxes alone, and by one or two letters too.

Revision ID: 0017
Revises: 0016

A small e-Box is read through in less time than an index takes. The program before this one goes on
asking search_messages(), which reads through the e-Box, however large.
"""

from alembic import context, op

from registry.migrations.indexes import create_index

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_FUNCTIONS = r"""
-- Letters, and pairs of them that stand side by side, by which texts of one or two letters are
-- found; longer ones are found by three at a time.
CREATE OR REPLACE FUNCTION letter_pairs(nl text, fr text, de text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 SET search_path = pg_catalog AS $$
-- The cost is what it is, and keeps plans away that would compute it of each row.
DECLARE
  letters text[] := string_to_array(concat_ws(E'\n', nl, fr, de), NULL);
BEGIN
  RETURN ARRAY(SELECT DISTINCT pair COLLATE "C" FROM (
    SELECT unnest(letters) UNION ALL
    SELECT one || two FROM unnest(letters, letters[2:]) AS l(one, two)) AS p(pair));
END $$;

-- The messages of the named e-Box with a folded text in them or in the names of their type, their
-- application or their sender. With `newest`, those of a large e-Box are looked for among so many
-- of its newest messages; without, all are found, by index. A small e-Box is read through.
--
-- LIKE is not leakproof, so under row-level security it never reaches an index. This function has
-- the owner's rights and therefore names the e-Box itself, from the same setting as the policies.
CREATE OR REPLACE FUNCTION search_ebox(language text, words text, newest int) RETURNS SETOF uuid
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
  IF words IS NULL OR words = '' OR newest < 0 THEN
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
  IF newest > 0 THEN
    RETURN QUERY EXECUTE format(
      'SELECT m.message_id FROM (
         SELECT message_id, message_type_id, sender_application_id, sender FROM messages
         WHERE ebox = $1 ORDER BY received_at DESC, message_id DESC LIMIT $6
       ) AS m JOIN search_texts s ON s.ebox = $1 AND s.message_id = m.message_id
       WHERE s.%I LIKE $2 OR m.message_type_id = ANY($3) OR m.sender_application_id = ANY($4)
         OR m.sender = ANY($5)', language)
      USING named, pattern, types, applications, organizations, newest;
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
_SEARCH = "search_ebox(text, text, int)"
_GRAMS = (
    "USING gin (ebox, nl gin_trgm_ops, fr gin_trgm_ops, de gin_trgm_ops, letter_pairs(nl, fr, de))"
    " WITH (fastupdate = on, gin_pending_list_limit = 256) WHERE is_large"
)
_WITHOUT_STATISTICS = """
DO $$
DECLARE
  part regclass;
BEGIN
  FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ix_search_texts_large'::regclass
  LOOP
    EXECUTE format('ALTER INDEX %s ALTER COLUMN 5 SET STATISTICS 0', part);
  END LOOP;
END $$;
"""
_LANGUAGES = ("de", "fr", "nl")


def upgrade() -> None:
    """Add the function and its index, and take away those for each language."""
    application = context.config.attributes["application_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    connection.exec_driver_sql(_FUNCTIONS.replace("{schema}", schema).replace("%", "%%"))
    op.execute(f"REVOKE ALL ON FUNCTION {_SEARCH} FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION {_SEARCH} TO "{application}"')
    create_index("ix_search_texts_large", "search_texts", _GRAMS)
    # Statistics of pairs would take minutes to make, and a plan without them is the right one.
    op.execute(_WITHOUT_STATISTICS)
    for language in _LANGUAGES:
        op.execute(f"DROP INDEX IF EXISTS ix_search_texts_ebox_{language}")


def downgrade() -> None:
    """Take it away again, and give back the indexes that it replaced."""
    op.execute("DROP INDEX ix_search_texts_large")
    op.execute(f"DROP FUNCTION {_SEARCH}")
    op.execute("DROP FUNCTION letter_pairs(text, text, text)")
    for language in _LANGUAGES:
        op.execute(
            f"CREATE INDEX ix_search_texts_ebox_{language} ON search_texts"
            f" USING gin (ebox, {language} gin_trgm_ops) WITH (fastupdate = off)"
        )
