"""Patches of messages, and what makes them wait for each other."""

import json
import time
from contextlib import contextmanager

from tests.api.publication import MESSAGES

MERGE_PATCH = "application/merge-patch+json"


def patch(visitor, body, path=MESSAGES, media_type=MERGE_PATCH):
    """PATCH with a body, as bytes or as what becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return visitor.ask("PATCH", path, data=content, headers={"Content-Type": media_type})


def change(visitor, *items):
    """Change messages: (message id, members) pairs."""
    listed = [{"messageId": str(message_id), **members} for message_id, members in items]
    return patch(visitor, {"items": listed})


def execute(visitor, message_id):
    """Say that the action of a message was executed."""
    return patch(visitor, {"isExecuted": True}, f"{MESSAGES}/{message_id}/messageAction")


@contextmanager
def held(owner, message_id):
    """Keep a message locked, as another transaction would; gives `until_waiting(number)`."""
    with owner.begin() as connection:
        locking = "SELECT 1 FROM messages WHERE message_id = %s FOR UPDATE"
        connection.exec_driver_sql(locking, (message_id,)).one()

        def until_waiting(number):
            deadline = time.monotonic() + 10
            while _waiting(owner) < number:
                assert time.monotonic() < deadline
                time.sleep(0.01)

        yield until_waiting


def _waiting(owner):
    """How many in this database wait for a lock; a transaction would see the same all along."""
    with owner.connect() as connection:
        return connection.exec_driver_sql(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        ).scalar_one()
