"""The trail counts transactions on where another server begins anew.

Revision ID: 0009
Revises: 0008

A database that was dumped and restored into another server counts transactions from the start,
and seals go by these numbers. What is added to the server's count is a function, so that every plan
knows it as a constant; `registry audit resume` replaces it, with the default of the entries' xid.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is added to the server's count: nothing yet."""
    op.execute(
        "CREATE FUNCTION audit_xid_offset() RETURNS bigint LANGUAGE sql STABLE"
        " AS $$ SELECT CAST(0 AS bigint) $$"
    )


def downgrade() -> None:
    """Count as the server does; where the trail was resumed, it can no longer be sealed."""
    op.execute("ALTER TABLE audit_entries ALTER COLUMN xid SET DEFAULT pg_current_xact_id()")
    op.execute("DROP FUNCTION audit_xid_offset()")
