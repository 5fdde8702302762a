"""News of messages that were withdrawn: what the federation need not hear, and what it must.

The worker's role alone may look across e-Boxes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from registry.domain.identifiers import Ebox
from registry.store.schema import EboxKey


def retract(
    connection: Connection, message_id: UUID, eboxes: Sequence[Ebox], now: datetime
) -> Sequence[Ebox]:
    """Take back what the federation was still to hear of these copies; give those it knows of.

    It knows of a copy whose arrival it was told, or may have been: a claim whose end is not known
    counts. An event that is being sent this moment is left to whoever sends it. That a copy was
    read did happen, and is told all the same.
    """
    values = {"id": message_id, "eboxes": [ebox.key for ebox in eboxes]}
    heard_of = connection.execute(_KNOWN, values).scalars().all()
    connection.execute(_RETRACT, {**values, "now": now})
    return heard_of


# What has no such event was filed again without one, and told before that.
_KNOWN: Final = text("""
SELECT k.ebox FROM unnest(CAST(:eboxes AS text[])) AS k(ebox)
WHERE k.ebox LIKE 'enterprise:%' AND NOT EXISTS (
  SELECT FROM outbox o
  WHERE o.ebox = k.ebox AND o.message_id = :id AND o.type = 'newDocument'
    AND (o.state IN ('dead', 'skipped') OR o.state = 'waiting' AND o.attempts = 0))
""").columns(ebox=EboxKey)
_RETRACT: Final = text("""
UPDATE outbox
SET state = 'withdrawn', reason = 'The message was withdrawn.', settled_at = :now,
  claimed_until = NULL
WHERE ebox = ANY(CAST(:eboxes AS text[])) AND message_id = :id
  AND state IN ('waiting', 'dead') AND type <> 'readDocument'
  AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
""")
