"""Time that passes at once: for what waits for a lease to run out, or for a message to expire."""

from collections.abc import Collection
from typing import Final

import psycopg

# As if a quarter of an hour had passed, when all who were killed have lost their leases.
_END_LEASES: Final = """
UPDATE outbox SET claimed_until = claimed_until - interval '15 minutes'
  WHERE claimed_until IS NOT NULL;
UPDATE doomed_documents SET due_at = due_at - interval '15 minutes';
UPDATE broadcasts SET moved_at = moved_at - interval '15 minutes' WHERE finished_at IS NULL;
"""
# As if it had been published ninety days ago.
_EXPIRE: Final = """
UPDATE messages SET expires_at = now() - interval '1 second'
WHERE message_id = %s AND ebox = ANY(%s)
"""


def end_leases(connection: psycopg.Connection) -> None:
    """Let the leases of the dead run out."""
    connection.execute(_END_LEASES)


def let_expire(connection: psycopg.Connection, message_id: str, eboxes: Collection[str]) -> None:
    """Let the copies of a message in these e-Boxes expire."""
    connection.execute(_EXPIRE, (message_id, list(eboxes)))
