"""Documents that storage cannot give are marked, so that their readers are told so at once.

Revision ID: 0011
Revises: 0010
"""

from alembic import context, op

from registry.migrations.indexes import create_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark, which the worker's role alone sets, and what finds a key among others."""
    op.execute("ALTER TABLE attachments ADD COLUMN IF NOT EXISTS fault TEXT")
    worker = context.config.attributes["worker_role"]
    op.execute(f'GRANT UPDATE (fault) ON attachments TO "{worker}"')
    create_index("ix_upload_notes_message_id", "upload_notes", "(message_id)")
    create_index("ix_doomed_documents_blob_key", "doomed_documents", "(blob_key)")


def downgrade() -> None:
    """Take it away again; who asks for a lost document finds out from storage."""
    op.execute("ALTER TABLE attachments DROP COLUMN fault")
    op.execute("DROP INDEX ix_upload_notes_message_id")
    op.execute("DROP INDEX ix_doomed_documents_blob_key")
