"""What the clock brings to mind: unread messages after a while, and before they expire.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, TextClause, text

from registry.store.retention.legal_holds import HELD
from registry.store.schema import AnyRow, EboxKey


def due_for_reminder(
    connection: Connection, *, received_before: datetime, now: datetime, limit: int
) -> Sequence[AnyRow]:
    """Mark unread messages reminded and give their `ebox` and `message_id`; each only once ever.

    Not those that are hidden, expired or under a legal hold.
    """
    asked = {"before": received_before, "now": now, "limit": limit}
    return connection.execute(_REMIND, asked).all()


def due_for_alert(
    connection: Connection, *, expiring_before: datetime, now: datetime, limit: int
) -> Sequence[AnyRow]:
    """The same, for messages that expire soon."""
    asked = {"before": expiring_before, "now": now, "limit": limit}
    return connection.execute(_ALERT, asked).all()


def foreseen(
    connection: Connection,
    *,
    now: datetime,
    until: datetime,
    reminder_after: timedelta,
    alert_before: timedelta,
    zone: str,
) -> Sequence[AnyRow]:
    """How many reminders and alerts are due until then unless messages are read before: `type`,
    `day` on the clock of `zone`, `messages`, `eboxes`. What is due already counts for today.
    """
    asked = {
        "now": now,
        "until": until,
        "reminder_after": reminder_after,
        "alert_before": alert_before,
        "zone": zone,
    }
    return connection.execute(_FORESEEN, asked).all()


_FREE: Final = f"NOT EXISTS ({HELD})"
_REMINDABLE: Final = (
    "m.read_at IS NULL AND m.is_visible AND NOT m.is_reminded"
    f" AND m.received_at <= {{}} AND m.expires_at > :now AND {_FREE}"
)
_ALERTABLE: Final = (
    "m.read_at IS NULL AND m.is_visible AND NOT m.is_alerted"
    f" AND m.expires_at <= {{}} AND m.expires_at > :now AND {_FREE}"
)


def _marking(flag: str, condition: str, order: str) -> TextClause:
    return text(f"""
WITH due AS (
  SELECT m.ebox, m.message_id FROM messages m
  WHERE {condition.format(":before")}
  ORDER BY m.{order} LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE messages m SET {flag} = true FROM due
WHERE m.ebox = due.ebox AND m.message_id = due.message_id
RETURNING m.ebox, m.message_id
""")


_REMIND: Final = _marking("is_reminded", _REMINDABLE, "received_at").columns(ebox=EboxKey)
_ALERT: Final = _marking("is_alerted", _ALERTABLE, "expires_at").columns(ebox=EboxKey)
_DAY: Final = "date(greatest({0}, CAST(:now AS timestamptz)) AT TIME ZONE :zone)"
_FORESEEN: Final = text(f"""
SELECT 'newDocumentReminder' AS type, {_DAY.format("m.received_at + :reminder_after")} AS day,
  count(*) AS messages, count(DISTINCT m.ebox) AS eboxes
FROM messages m
WHERE {_REMINDABLE.format("CAST(:until AS timestamptz) - :reminder_after")}
  AND m.expires_at > m.received_at + :reminder_after
GROUP BY day
UNION ALL
SELECT 'documentExpirationAlert', {_DAY.format("m.expires_at - :alert_before")} AS day,
  count(*), count(DISTINCT m.ebox)
FROM messages m
WHERE {_ALERTABLE.format("CAST(:until AS timestamptz) + :alert_before")}
GROUP BY day
ORDER BY day, type
""")
