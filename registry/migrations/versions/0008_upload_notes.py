"""Uploads are noted before their first byte, and the sweep deletes nothing else.

Revision ID: 0008
Revises: 0007

The sweep deleted from storage whatever the database did not know: after a restore, the documents
of every message since the backup. What was uploaded before this revision, and never claimed, has no
note: no clock deletes it any more.
"""

from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PARTITIONS = 16

# `ebox` is the sender's. When a note was written, and in which life of the database, is not for its
# writer to say: a copy that COPY wrote, or one on another timeline, may be of an upload that was
# claimed since.
_TABLE = """
CREATE TABLE upload_notes (
  ebox TEXT NOT NULL,
  message_id UUID NOT NULL,
  noted_at TIMESTAMPTZ DEFAULT clock_timestamp() NOT NULL,
  written_in TEXT DEFAULT ((pg_control_system()).system_identifier
    || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
    || '/' || pg_current_xact_id()::xid::text) NOT NULL,
  condemned_at TIMESTAMPTZ,
  CONSTRAINT pk_upload_notes PRIMARY KEY (ebox, message_id)
) PARTITION BY HASH (ebox);
CREATE INDEX ix_upload_notes_noted_at ON upload_notes (noted_at);
"""


def upgrade() -> None:
    """Add the table of notes."""
    roles = context.config.attributes
    application, worker = roles["application_role"], roles["worker_role"]
    op.execute(_TABLE)
    for remainder in range(_PARTITIONS):
        op.execute(
            f"CREATE TABLE upload_notes_{remainder} PARTITION OF upload_notes"
            f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {remainder})"
        )
    op.execute("ALTER TABLE upload_notes ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_ebox ON upload_notes"
        " USING (ebox = current_setting('registry.ebox', true))"
    )
    op.execute(f'CREATE POLICY every_ebox ON upload_notes TO "{worker}" USING (true)')
    for rights, role in (
        ("SELECT, INSERT (ebox, message_id), DELETE", application),
        ("SELECT, UPDATE (condemned_at), DELETE", worker),
    ):
        op.execute(f'GRANT {rights} ON upload_notes TO "{role}"')


def downgrade() -> None:
    """Take it away again; what is being uploaded meanwhile is claimed as before."""
    op.execute("DROP TABLE upload_notes")
