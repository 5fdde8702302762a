"""Senders that may publish nothing until an operator resumes them.

Revision ID: 0014
Revises: 0013

The database itself refuses, where a message gets its sender's memory and where a chunk of a
broadcast is filed: so every process does at once, also one of the program before this one.
"""

from alembic import context, op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# '' stands for all: of a sender all applications, of an application all senders.
_TABLE = """
CREATE TABLE IF NOT EXISTS suspensions (
  suspension_id UUID NOT NULL,
  sender TEXT NOT NULL,
  application_id TEXT NOT NULL,
  why TEXT NOT NULL,
  suspended_at TIMESTAMPTZ NOT NULL,
  resumed_at TIMESTAMPTZ,
  resumed_why TEXT,
  CONSTRAINT pk_suspensions PRIMARY KEY (suspension_id),
  CONSTRAINT ck_suspensions_sender CHECK (sender <> '' OR application_id <> '')
);
CREATE UNIQUE INDEX IF NOT EXISTS uq_suspensions_current ON suspensions (sender, application_id)
  WHERE resumed_at IS NULL;
"""

# The lock is shared by all that publish; who suspends takes it alone, and so waits for what was
# under way: nothing is published behind him.
_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_suspended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7302114812);
  IF EXISTS (SELECT FROM suspensions s WHERE s.resumed_at IS NULL
    AND (s.sender = '' OR 'enterprise:' || s.sender = NEW.ebox)
    AND (s.application_id = '' OR s.application_id = NEW.application_id))
  THEN
    RAISE EXCEPTION USING ERRCODE = 'EB403', MESSAGE = 'this sender is suspended';
  END IF;
  RETURN NEW;
END $$;
"""
_TRIGGERS = {"sent_messages": "INSERT", "broadcasts": "INSERT OR UPDATE OF filed"}


def upgrade() -> None:
    """Add the table, which is the worker's own, and what asks it."""
    worker = context.config.attributes["worker_role"]
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_TABLE)
    op.execute(
        f'GRANT SELECT, INSERT, UPDATE (resumed_at, resumed_why) ON suspensions TO "{worker}"'
    )
    connection.exec_driver_sql(_FUNCTION.replace("{schema}", schema))
    op.execute("REVOKE ALL ON FUNCTION refuse_suspended() FROM PUBLIC")
    for table, event in _TRIGGERS.items():
        op.execute(
            f"CREATE OR REPLACE TRIGGER refuse_suspended BEFORE {event} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_suspended()"
        )


def downgrade() -> None:
    """Take it away again: whoever is suspended then may publish."""
    for table in _TRIGGERS:
        op.execute(f"DROP TRIGGER refuse_suspended ON {table}")
    op.execute("DROP FUNCTION refuse_suspended()")
    op.execute("DROP TABLE suspensions")
