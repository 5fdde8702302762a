"""Sheaves, by which entries of the trail are looked up, and months that go without being read.

Revision ID: 0018
Revises: 0017

What is there already is filed by the worker, from the first entry on. Whether a month that ends is
all sealed is seen without reading it.
"""

from collections.abc import Iterator

from alembic import context, op
from sqlalchemy import text

from registry.migrations.indexes import create_index

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Entries and sheaves are written once: frozen when they are vacuumed first, they are left alone
# when transactions wrap around, for which each month would be read again, all at once. They are
# vacuumed often, so that an index alone tells where a batch ends, and few terms wait to be merged.
_OPTIONS = "autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05"

# Terms are found by an index that is merged in batches: only the worker adds, and waits for it.
_TABLES = """
CREATE TABLE IF NOT EXISTS audit_sheaves (
  newest TIMESTAMPTZ NOT NULL,
  oldest TIMESTAMPTZ NOT NULL,
  first_xid XID8 NOT NULL,
  until_xid XID8 NOT NULL,
  terms INTEGER[] NOT NULL
) PARTITION BY RANGE (newest);
CREATE INDEX IF NOT EXISTS ix_audit_sheaves_until_xid ON audit_sheaves (until_xid);
CREATE INDEX IF NOT EXISTS ix_audit_sheaves_terms ON audit_sheaves USING gin (terms);
CREATE TABLE IF NOT EXISTS audit_sheaves_default PARTITION OF audit_sheaves DEFAULT;
"""

_PREPARE_MONTHS = """
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
    -- LIKE leaves options out.
    EXECUTE format('CREATE TABLE %I (LIKE audit_entries INCLUDING DEFAULTS) WITH ({options})',
      name);
    EXECUTE format('ALTER TABLE audit_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      name, month, month + interval '1 month');
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;
"""
# From the first year of entries to the next year: those of a year have most of their terms in
# common, and are to be kept until nearly the same day.
_PREPARE_YEARS = """
CREATE OR REPLACE FUNCTION prepare_sheaf_years() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
  year timestamptz;
  name text;
  made int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('prepare_audit_months'));
  FOR year IN SELECT generate_series(
    (SELECT date_trunc('year', min(to_date(right(relname, 7), 'YYYY_MM')))
      FROM pg_inherits JOIN pg_class ON oid = inhrelid
      WHERE inhparent = CAST('audit_entries' AS regclass)
        AND relname ~ '^audit_entries_[0-9]{{4}}_[0-9]{{2}}$'),
    now() + interval '1 year', interval '1 year')
  LOOP
    name := to_char(year, '"audit_sheaves_"YYYY');
    CONTINUE WHEN to_regclass(current_schema() || '.' || name) IS NOT NULL OR EXISTS (
      SELECT FROM audit_sheaves_default
      WHERE newest >= year AND newest < year + interval '1 year');
    EXECUTE format('CREATE TABLE %I (LIKE audit_sheaves INCLUDING DEFAULTS) WITH ({options})',
      name);
    EXECUTE format('ALTER TABLE audit_sheaves ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      name, year, year + interval '1 year');
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;
"""
_DROP_ENTRIES = """
CREATE OR REPLACE FUNCTION drop_audit_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
SET timezone = 'UTC' SET lock_timeout = '200ms' SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
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
  -- Materialized, as they are few and found by their index: the month is millions, all sealed.
  IF sealed IS NULL
    AND EXISTS (SELECT FROM audit_entries WHERE recorded_at >= first AND recorded_at < ended)
  OR EXISTS (
    WITH unsealed AS MATERIALIZED (SELECT recorded_at FROM audit_entries WHERE xid >= sealed)
    SELECT FROM unsealed WHERE recorded_at >= first AND recorded_at < ended)
  THEN
    RAISE EXCEPTION 'The audit trail of % is not all under a stored seal.',
      to_char(month, 'YYYY-MM');
  END IF;
  DELETE FROM audit_entries_default WHERE recorded_at >= first AND recorded_at < ended;
  EXECUTE format('DROP TABLE IF EXISTS %I', to_char(month, '"audit_entries_"YYYY_MM'));
END $$;
"""
# Sheaves prove nothing: a year of them goes with its last month of entries.
_DROP_SHEAVES = """
CREATE OR REPLACE FUNCTION drop_sheaf_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
SET timezone = 'UTC' SET lock_timeout = '200ms' AS $$
DECLARE
  first timestamptz := date_trunc('month', month);
BEGIN
  IF month IS NULL OR NOT isfinite(month) OR month NOT BETWEEN '2000-01-01' AND current_date THEN
    RAISE invalid_parameter_value USING MESSAGE = 'there is no such month of the audit trail';
  END IF;
  IF audit_month_kept_until(month) > clock_timestamp() THEN
    RAISE EXCEPTION 'The audit trail of % is kept until %.', to_char(month, 'YYYY-MM'),
      audit_month_kept_until(month);
  END IF;
  DELETE FROM audit_sheaves_default WHERE newest >= first AND newest < first + interval '1 month';
  IF extract(month FROM month) = 12 THEN
    EXECUTE format('DROP TABLE IF EXISTS %I', to_char(month, '"audit_sheaves_"YYYY'));
  END IF;
END $$;
"""
_FUNCTIONS = ("prepare_sheaf_years()", "drop_sheaf_month(date)")  # new ones


def upgrade() -> None:
    """Add sheaves with their years, and an index by which an entry has its seal."""
    connection = op.get_bind()
    worker = context.config.attributes["worker_role"]
    op.execute(_TABLES)
    for function in _write_functions():
        connection.exec_driver_sql(function.replace("%", "%%"))
    for function in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {function} TO "{worker}"')
    op.execute(f'GRANT SELECT, INSERT ON audit_sheaves TO "{worker}"')
    # Which it reads through the trail anyway, and with every other month.
    op.execute(f'GRANT SELECT ON audit_entries_default TO "{worker}"')
    op.execute("SELECT prepare_sheaf_years()")
    for partition in connection.execute(_PARTITIONS).scalars().all():
        op.execute(f"ALTER TABLE {partition} SET ({_OPTIONS})")
    create_index("ix_audit_seals_until_xid", "audit_seals", "(until_xid)")


def downgrade() -> None:
    """Take sheaves away; the other functions stay: they have the signatures of the former."""
    op.execute("DROP INDEX ix_audit_seals_until_xid")
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE audit_sheaves")


def _write_functions() -> Iterator[str]:
    query = "SELECT quote_ident(current_schema())"
    schema = op.get_bind().exec_driver_sql(query).scalar_one()
    for function in (_PREPARE_MONTHS, _PREPARE_YEARS, _DROP_ENTRIES, _DROP_SHEAVES):
        yield function.format(schema=schema, options=_OPTIONS)


_PARTITIONS = text("""
SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits
WHERE inhparent IN (CAST('audit_entries' AS regclass), CAST('audit_sheaves' AS regclass))
""")
