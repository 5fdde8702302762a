"""Indexes by which operators find messages that carry a document, or have a subject.

Revision ID: 0015
Revises: 0014

A subject is found by its hash, so that whoever looks for one leaves it in no log. The function of
the index is our own, since PostgreSQL takes the encoding of a text for something that may change.
"""

from alembic import op

from registry.migrations.indexes import create_index

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# SHA-256 of each language's text, in UTF-8 and hexadecimal; none of what is no object, so that no
# row is refused by its index.
_HASHES = """
CREATE OR REPLACE FUNCTION subject_hashes(subject jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT coalesce(array_agg(encode(sha256(convert_to(value, 'UTF8')), 'hex')), '{}')
  FROM jsonb_each_text(CASE jsonb_typeof(subject) WHEN 'object' THEN subject ELSE '{}' END)
$$
"""


def upgrade() -> None:
    """Add the indexes, and one by which those of a time are found, to look for malware in them."""
    op.execute(_HASHES)
    create_index("ix_attachments_digest", "attachments", "(digest)")
    create_index("ix_messages_subject_hashes", "messages", "USING gin (subject_hashes(subject))")
    create_index("ix_messages_received_at", "messages", "USING brin (received_at)")


def downgrade() -> None:
    """Take them away again; who looks for a document reads all there are."""
    for index in ("received_at", "subject_hashes"):
        op.execute(f"DROP INDEX ix_messages_{index}")
    op.execute("DROP INDEX ix_attachments_digest")
    op.execute("DROP FUNCTION subject_hashes(jsonb)")
