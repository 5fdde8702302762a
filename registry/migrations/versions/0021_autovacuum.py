"""Autovacuum looks after each table as often as what becomes of its rows asks for.

Revision ID: 0021
Revises: 0020

By itself PostgreSQL waits for a fifth of the rows. Partitions have settings, not what they are
part of. Months and years of the trail have theirs by revision 0018, whose functions make new ones.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from alembic import op
from sqlalchemy import text

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


class TableCare(NamedTuple):
    """Storage parameters of some tables, or of each of their partitions, with the reason."""

    tables: tuple[str, ...]
    settings: Mapping[str, str]
    reason: str


CARE: Final = (
    TableCare(
        ("messages",),
        {
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_vacuum_insert_scale_factor": "0.02",
            "autovacuum_analyze_scale_factor": "0.02",
        },
        "each row is changed when it is read or reminded of, and counted by an index alone",
    ),
    TableCare(
        ("attachments", "search_texts", "sent_messages"),
        {
            "autovacuum_vacuum_scale_factor": "0.05",
            "autovacuum_vacuum_insert_scale_factor": "0.05",
            "autovacuum_analyze_scale_factor": "0.05",
            "autovacuum_freeze_min_age": "0",
        },
        "written once, so frozen at once; the purge takes the oldest all the time",
    ),
    TableCare(
        ("outbox",),
        {
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_vacuum_threshold": "500",
            "autovacuum_analyze_scale_factor": "0.05",
        },
        "each row is changed twice and deleted within weeks; what is due is looked for each second",
    ),
    TableCare(
        ("upload_notes", "message_count_changes", "doomed_documents"),
        {
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "1000",
            "vacuum_truncate": "false",
        },
        "queues: rows pass through, so a share of them means nothing, and their room is used again",
    ),
    TableCare(
        ("audit_seals",),
        {
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_vacuum_insert_scale_factor": "0.02",
            "autovacuum_analyze_scale_factor": "0.02",
        },
        "each row is changed once, when its seal is stored, and kept for ten years",
    ),
)

# Nobody who reads or writes waits behind us (SHARE UPDATE EXCLUSIVE). We may wait for a vacuum:
# that of autovacuum gives way after `deadlock_timeout`, a second, for which we do not wait else.
_PATIENCE: Final = "SET LOCAL lock_timeout = '10s'"
_PARTS: Final = text("""
SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits
WHERE inhparent = CAST(:table AS regclass) ORDER BY inhrelid
""")


def upgrade() -> None:
    """Give each table and partition its settings."""
    for care in CARE:
        settings = ", ".join(f"{name} = {value}" for name, value in care.settings.items())
        _alter(care, f"SET ({settings})")


def downgrade() -> None:
    """Take them away again."""
    for care in CARE:
        _alter(care, f"RESET ({', '.join(care.settings)})")


def _alter(care: TableCare, action: str) -> None:
    op.execute(_PATIENCE)
    for table in care.tables:
        parts = op.get_bind().execute(_PARTS, {"table": table}).scalars().all()
        for part in parts or [table]:
            op.execute(f"ALTER TABLE {part} {action}")
