"""Audit: a trail that nobody may change, in months, and the seals over it."""

from alembic import context, op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_AHEAD = 12  # months that are there before their time

# An entry's time, number and transaction are the database's to say: what has been sealed can get
# no company later. The months are those of UTC. No policy is needed where nobody may read.
_TABLES = """
CREATE SEQUENCE audit_entry_numbers AS BIGINT;

CREATE TABLE audit_entries (
  recorded_at TIMESTAMPTZ DEFAULT clock_timestamp() NOT NULL,
  entry_number BIGINT DEFAULT nextval('audit_entry_numbers') NOT NULL,
  xid XID8 DEFAULT pg_current_xact_id() NOT NULL,
  ebox TEXT,
  person TEXT,
  entry TEXT NOT NULL,
  CONSTRAINT pk_audit_entries PRIMARY KEY (recorded_at, entry_number)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX ix_audit_entries_xid ON audit_entries (xid);
CREATE TABLE audit_entries_default PARTITION OF audit_entries DEFAULT;

CREATE TABLE audit_seals (
  seal_number BIGINT NOT NULL,
  seal TEXT NOT NULL,
  signature TEXT NOT NULL,
  until_xid XID8 NOT NULL,
  sealed_at TIMESTAMPTZ NOT NULL,
  kept_until TIMESTAMPTZ NOT NULL,
  stored_at TIMESTAMPTZ,
  CONSTRAINT pk_audit_seals PRIMARY KEY (seal_number)
);
CREATE INDEX ix_audit_seals_unstored ON audit_seals (seal_number) WHERE stored_at IS NULL;
"""

_FUNCTIONS = """
-- A month that has entries in the default partition stays there: nothing is moved. ATTACH, unlike
-- CREATE TABLE ... PARTITION OF, lets everybody go on inserting.
CREATE FUNCTION prepare_audit_months(ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
  month timestamptz;
  name text;
  made int := 0;
BEGIN
  IF ahead NOT BETWEEN 0 AND 36 THEN
    RAISE EXCEPTION 'Between 0 and 36 months can be prepared, not %.', ahead;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('prepare_audit_months'));
  FOR month IN SELECT date_trunc('month', now()) + make_interval(months => i)
    FROM generate_series(0, ahead) AS i
  LOOP
    name := to_char(month, '"audit_entries_"YYYY_MM');
    CONTINUE WHEN to_regclass(name) IS NOT NULL OR EXISTS (
      SELECT FROM audit_entries_default
      WHERE recorded_at >= month AND recorded_at < month + interval '1 month');
    EXECUTE format('CREATE TABLE %I (LIKE audit_entries INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE audit_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
      name, month, month + interval '1 month');
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- Ten years from the 1 January after the last of the month, in Belgium, where a year begins an
-- hour before UTC's.
CREATE FUNCTION audit_month_kept_until(month date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
  SELECT (date_trunc('year', CAST(month AS timestamp) + interval '1 month' + interval '1 hour'
    - interval '1 microsecond') + interval '11 years' - interval '1 hour') AT TIME ZONE 'UTC'
$$;

-- With what of the month is in the default partition. DROP TABLE waits for requests, and they for
-- it: so rather another time than for long.
CREATE FUNCTION drop_audit_month(month date) RETURNS void
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
_WORKERS = ("prepare_audit_months(int)", "drop_audit_month(date)")


def upgrade() -> None:
    """Add the trail and its seals, with the months of a year."""
    roles = context.config.attributes
    application, worker = roles["application_role"], roles["worker_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_TABLES)
    connection.exec_driver_sql(_FUNCTIONS.replace("{schema}", schema).replace("%", "%%"))
    for function in _WORKERS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {function} TO "{worker}"')
    for role in (application, worker):
        op.execute(f'GRANT INSERT (ebox, person, entry) ON audit_entries TO "{role}"')
        op.execute(f'GRANT USAGE ON SEQUENCE audit_entry_numbers TO "{role}"')
    op.execute(f'GRANT SELECT ON audit_entries TO "{worker}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE (stored_at) ON audit_seals TO "{worker}"')
    op.execute(f"SELECT prepare_audit_months({_AHEAD})")


def downgrade() -> None:
    """Take it away again, with every entry; the seals that are in storage stay there."""
    for function in (*_WORKERS, "audit_month_kept_until(date)"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE audit_entries, audit_seals")
    op.execute("DROP SEQUENCE audit_entry_numbers")
