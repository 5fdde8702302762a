"""Rounds of the worker in which it reads every stored document once.

Revision ID: 0010
Revises: 0009
"""

from alembic import context, op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE document_rounds (
  round_id BIGINT GENERATED ALWAYS AS IDENTITY,
  started_at TIMESTAMPTZ DEFAULT clock_timestamp() NOT NULL,
  finished_at TIMESTAMPTZ,
  claimed_until TIMESTAMPTZ DEFAULT clock_timestamp() NOT NULL,
  last_key TEXT DEFAULT '' NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  documents BIGINT DEFAULT 0 NOT NULL,
  size BIGINT DEFAULT 0 NOT NULL,
  faults BIGINT DEFAULT 0 NOT NULL,
  CONSTRAINT pk_document_rounds PRIMARY KEY (round_id)
);
"""


def upgrade() -> None:
    """Add the table, which is the worker's own."""
    worker = context.config.attributes["worker_role"]
    op.execute(_TABLE)
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON document_rounds TO "{worker}"')


def downgrade() -> None:
    """Take it away again; the next round begins with the first document."""
    op.execute("DROP TABLE document_rounds")
