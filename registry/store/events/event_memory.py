"""The memory of the outbox: events that the federation was told, until they are forgotten.

The worker's role alone may look across e-Boxes.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text


class ForgottenEvents(NamedTuple):
    """Number of events that are forgotten now, and when the newest of them was told."""

    events: int
    newest: datetime


def forget(
    connection: Connection, *, told_from: datetime, told_before: datetime, limit: int
) -> ForgottenEvents | None:
    """Delete up to `limit` events that were told in this time, the oldest first; None if none was.

    Those in any other state stay: that an event is absent means that it was told.
    """
    values: dict[str, Any] = {"from": told_from, "before": told_before, "limit": limit}
    rows = connection.execute(_LOCK, values).all()
    if not rows:
        return None
    newest = rows[-1].settled_at
    keys = {"eboxes": [row.ebox for row in rows], "ids": [row.correlation_id for row in rows]}
    connection.execute(_DELETE, {**keys, "from": told_from, "until": newest})
    return ForgottenEvents(len(rows), newest)


# An operator who replays an event, or the purge, has it locked: whoever forgets waits for nobody.
_LOCK: Final = text("""
SELECT ebox, correlation_id, settled_at FROM outbox
WHERE state = 'told' AND settled_at >= :from AND settled_at < :before
ORDER BY settled_at LIMIT :limit
FOR UPDATE SKIP LOCKED
""")
# By the same stretch of the same index: by their keys alone, the planner may read a table of a few
# days from end to end.
_DELETE: Final = text("""
DELETE FROM outbox o
USING unnest(CAST(:eboxes AS text[]), CAST(:ids AS uuid[])) AS k(ebox, id)
WHERE o.ebox = k.ebox AND o.correlation_id = k.id
  AND o.state = 'told' AND o.settled_at >= :from AND o.settled_at <= :until
""")
