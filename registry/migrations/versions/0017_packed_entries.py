"""Entries of the trail are packed, and have no primary key.

Revision ID: 0017
Revises: 0016

What is there stays as it is, and is read as it is. An older program goes on writing texts, but its
worker cannot seal what is packed: entries wait for one that can.
"""

from alembic import context, op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and let go of what no statement uses: a key of 31 bytes an entry."""
    op.execute("ALTER TABLE audit_entries ADD COLUMN IF NOT EXISTS packed BYTEA")
    op.execute("ALTER TABLE audit_entries ALTER COLUMN entry DROP NOT NULL")
    op.execute("ALTER TABLE audit_entries DROP CONSTRAINT IF EXISTS pk_audit_entries")
    roles = context.config.attributes
    for role in (roles["application_role"], roles["worker_role"]):
        op.execute(f'GRANT INSERT (packed) ON audit_entries TO "{role}"')


def downgrade() -> None:
    """Take the column away, with every entry that is packed; the key is missed by nobody."""
    op.execute("ALTER TABLE audit_entries DROP COLUMN packed")
