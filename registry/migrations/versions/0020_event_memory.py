"""Events that were told long ago are found, to be forgotten.

Revision ID: 0020
Revises: 0019

The worker's job `forget` deletes what is there already, batch by batch, the oldest first.
"""

from alembic import op

from registry.migrations.indexes import create_index

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an index of what was told, by the time of that."""
    create_index("ix_outbox_told", "outbox", "(settled_at) WHERE state = 'told'")


def downgrade() -> None:
    """Take it away again."""
    op.execute("DROP INDEX ix_outbox_told")
