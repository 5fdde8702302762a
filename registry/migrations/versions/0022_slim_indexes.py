"""What is looked for without its e-Box is found by a piece of the value, in a third of the bytes.

Revision ID: 0022
Revises: 0021

The program before this one finds the same without an index, until it is gone: its worker reads
through the attachments to erase documents, its operators through what they look for. No call of
the API does. The sweep asks a function, which goes by the new index from now on.
"""

from alembic import op

from registry.migrations.indexes import create_index

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# How each SHA-256 of subject_hashes() begins; a list in which most are shared by others.
_PIECES = """
CREATE OR REPLACE FUNCTION subject_pieces(subject jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT coalesce(array_agg(left(encode(sha256(convert_to(value, 'UTF8')), 'hex'), 3)), '{}')
  FROM jsonb_each_text(CASE jsonb_typeof(subject) WHEN 'object' THEN subject ELSE '{}' END)
$$
"""
# What the sweep asks before it takes anything away.
_UNCLAIMED = """
CREATE OR REPLACE FUNCTION unclaimed_documents(keys text[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
  SELECT key FROM unnest(keys) AS key
  WHERE NOT EXISTS (SELECT FROM attachments WHERE {condition})
$$
"""
_BY_KEY = "blob_key = key"
_BY_PIECE = f"substr(blob_key, 11, 5) = substr(key, 11, 5) AND {_BY_KEY}"
_NEW = {
    "ix_messages_id_piece": ("messages", "(right(CAST(message_id AS text), 3))"),
    "ix_messages_subject_pieces": (
        "messages",
        "USING gin (subject_pieces(subject)) WITH (gin_pending_list_limit = 256)",
    ),
    "ix_attachments_key_piece": ("attachments", "(substr(blob_key, 11, 5))"),
    "ix_attachments_digest_piece": ("attachments", "(left(digest, 2))"),
}
_OLD = {
    "ix_messages_message_id": ("messages", "(message_id)"),
    "ix_messages_subject_hashes": ("messages", "USING gin (subject_hashes(subject))"),
    "ix_attachments_blob_key": ("attachments", "(blob_key)"),
    "ix_attachments_digest": ("attachments", "(digest)"),
}


def upgrade() -> None:
    """Build the small indexes, then let go of the large ones."""
    op.execute(_PIECES)
    for name, (table, of) in _NEW.items():
        create_index(name, table, of)
    _define_unclaimed(_BY_PIECE)
    for name in _OLD:
        op.execute(f"DROP INDEX IF EXISTS {name}")


def downgrade() -> None:
    """Give the large ones back."""
    for name, (table, of) in _OLD.items():
        op.execute(f"CREATE INDEX {name} ON {table} {of}")
    _define_unclaimed(_BY_KEY)
    for name in _NEW:
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP FUNCTION subject_pieces(jsonb)")


def _define_unclaimed(condition: str) -> None:
    connection = op.get_bind()
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_UNCLAIMED.format(schema=schema, condition=condition))
