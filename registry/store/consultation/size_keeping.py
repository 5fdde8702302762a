"""What the worker does for large e-Boxes: it marks their rows, and sums up what was counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select, text, update

from registry.domain.identifiers import Ebox
from registry.store.consultation.large_eboxes import large_eboxes


def find_uncounted(connection: Connection) -> Sequence[Ebox]:
    """Find e-Boxes to mark, of which every transaction that did not know them as large is over.

    So whatever is filed while their rows are gone through has its mark from the start.
    """
    return connection.scalars(
        select(large_eboxes.c.ebox)
        .where(large_eboxes.c.counted_at.is_(None), _IS_KNOWN_TO_ALL)
        .order_by(large_eboxes.c.asked_by)
    ).all()


def mark_rows(
    connection: Connection, ebox: Ebox, after: UUID | None, *, limit: int
) -> tuple[int, UUID | None]:
    """Mark the rows of the next `limit` messages; gives their number, and the id of the last.

    From the first on where `after` is None. What triggers add then counts them.
    """
    values = {"ebox": ebox.key, "after": after or UUID(int=0), "limit": limit}
    row = connection.execute(_MARK, values).one()
    return row.messages, row.last


def note_counted(connection: Connection, ebox: Ebox, now: datetime) -> None:
    """Note that every row of the e-Box is marked: from now on its counts are what there is."""
    connection.execute(
        update(large_eboxes).where(large_eboxes.c.ebox == ebox).values(counted_at=now)
    )


def sum_changes(connection: Connection, *, limit: int) -> int:
    """Add up to `limit` changes, in any order, to the counts; gives their number."""
    connection.execute(_LOCK)
    return int(connection.execute(_SUM, {"limit": limit}).scalar_one())


def forget_counts(connection: Connection, ebox: Ebox) -> None:
    """Forget that an e-Box was large, unless a message is left in it."""
    connection.execute(_LOCK)
    connection.execute(_FORGET, {"ebox": ebox.key})


# A number that this server has not given out yet comes from another, of which this is a copy.
_IS_KNOWN_TO_ALL: Final = text(
    "(asked_by < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
    " OR asked_by >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint))"
)
# Whoever sums up and whoever forgets would each miss what the other is moving.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('message_counts'))")
# By an array, or the planner joins the batch with all of the e-Box.
_MARK: Final = text("""
WITH next AS (
  SELECT message_id FROM messages
  WHERE ebox = :ebox AND message_id > :after ORDER BY message_id LIMIT :limit
), marked AS (
  UPDATE messages SET is_large = true
  WHERE ebox = :ebox AND message_id = ANY(ARRAY(SELECT message_id FROM next)) AND NOT is_large
), texts AS (
  UPDATE search_texts SET is_large = true
  WHERE ebox = :ebox AND message_id = ANY(ARRAY(SELECT message_id FROM next)) AND NOT is_large
)
SELECT count(*) AS messages,
  (SELECT message_id FROM next ORDER BY message_id DESC LIMIT 1) AS last
FROM next
""")
_SUM: Final = text("""
WITH moved AS (
  DELETE FROM message_count_changes
  WHERE (ebox, change_number) IN (
    SELECT ebox, change_number FROM message_count_changes LIMIT :limit)
  RETURNING *
), kept AS (
  INSERT INTO message_counts AS c
    (ebox, partition, is_read, is_visible, is_registered, is_action_required, messages)
  SELECT ebox, partition, is_read, is_visible, is_registered, is_action_required, sum(messages)
  FROM moved GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
  ON CONFLICT ON CONSTRAINT pk_message_counts
    DO UPDATE SET messages = c.messages + excluded.messages
)
SELECT count(*) FROM moved
""")
_FORGET: Final = text("""
WITH small AS (
  DELETE FROM large_eboxes WHERE ebox = :ebox
    AND NOT EXISTS (SELECT FROM messages WHERE messages.ebox = :ebox)
  RETURNING ebox
), counts AS (
  DELETE FROM message_counts WHERE ebox IN (SELECT ebox FROM small)
)
DELETE FROM message_count_changes WHERE ebox IN (SELECT ebox FROM small)
""")
