"""Entries of the trail can be packed, and have no primary key.

Revision ID: 0019
Revises: 0018

What is there stays as it is, and is read as it is. New entries are packed at once where the trail
is empty. Where it is not, there is a program before this revision, of which the worker cannot seal
what is packed, nor the searches find it: texts go on being written until somebody says that it is
gone, by `registry database pack-entries`.
"""

from alembic import context, op

revision = "0019"
down_revision = "0018"
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
    is_empty = "SELECT NOT EXISTS (SELECT FROM audit_entries)"
    is_new = op.get_bind().exec_driver_sql(is_empty).scalar_one()
    op.execute(
        "CREATE FUNCTION audit_entries_are_packed() RETURNS boolean LANGUAGE sql STABLE"
        f" AS $$ SELECT {is_new} $$"
    )


def downgrade() -> None:
    """Take the column away, with every entry that is packed; the key is missed by nobody."""
    op.execute("DROP FUNCTION audit_entries_are_packed()")
    op.execute("ALTER TABLE audit_entries DROP COLUMN packed")
