"""Events and broadcasts know the trace of the call that was their cause (W3C Trace Context).

Revision ID: 0013
Revises: 0012
"""

from alembic import context, op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns that may be NULL; the default is of rows to come, so nothing is rewritten."""
    op.execute("ALTER TABLE broadcasts ADD COLUMN IF NOT EXISTS trace TEXT")
    application = context.config.attributes["application_role"]
    op.execute(f'GRANT UPDATE (trace) ON broadcasts TO "{application}"')
    op.execute("ALTER TABLE outbox ADD COLUMN IF NOT EXISTS trace TEXT")
    # For functions that add events: their caller names the trace for the transaction.
    op.execute(
        "ALTER TABLE outbox ALTER COLUMN trace"
        " SET DEFAULT nullif(current_setting('registry.trace', true), '')"
    )


def downgrade() -> None:
    """Take them away again."""
    op.execute("ALTER TABLE outbox DROP COLUMN trace")
    op.execute("ALTER TABLE broadcasts DROP COLUMN trace")
