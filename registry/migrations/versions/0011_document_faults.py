"""Documents that storage cannot give are marked, so that their readers are told so at once.

Revision ID: 0011
Revises: 0010
"""

from alembic import context, op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = """
ALTER TABLE attachments ADD COLUMN fault TEXT;
CREATE INDEX ix_upload_notes_message_id ON upload_notes (message_id);
CREATE INDEX ix_doomed_documents_blob_key ON doomed_documents (blob_key);
"""


def upgrade() -> None:
    """Add the mark, which the worker's role alone sets, and what finds a key among others."""
    op.execute(_TABLES)
    worker = context.config.attributes["worker_role"]
    op.execute(f'GRANT UPDATE (fault) ON attachments TO "{worker}"')


def downgrade() -> None:
    """Take it away again; who asks for a lost document finds out from storage."""
    op.execute("ALTER TABLE attachments DROP COLUMN fault")
    op.execute("DROP INDEX ix_upload_notes_message_id")
    op.execute("DROP INDEX ix_doomed_documents_blob_key")
