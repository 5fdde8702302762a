"""The whale is counted, as the worker's job `count` does it, without its rests."""

import time
from collections.abc import Mapping
from typing import Final

import psycopg

from registry.settings import Settings
from registry.wiring.worker import assemble_worker
from tests.bench.scale.eboxes import FilledEbox
from tests.bench.scale.progress import Progress


def count_whale(env: Mapping[str, str], superuser_url: str, whale: FilledEbox) -> dict[str, float]:
    """Count the one large e-Box that is read here; gives the seconds, and none if it was counted.

    Others in the tail are as large as some that are counted in life, but nobody reads them.
    """
    since = time.monotonic()
    # A list that is filed when it is long takes its time, once.
    settings = Settings.load({**env, "REGISTRY_DATABASE_STATEMENT_TIMEOUT": "300"})
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(_ASK, [whale.key])
        ((is_counted,),) = connection.execute(_IS_COUNTED, [whale.key]).fetchall()
        if is_counted:
            return {}
        worker = assemble_worker(settings)
        progress = Progress("messages of the whale counted", whale.messages)
        # Some forty at a time, as in life, take five minutes for a whale. VACUUM files all of them.
        _limit_lists(connection, _LONG)
        for count in worker.ebox_sizes.mark_all():
            progress.add(count)
        for _ in worker.ebox_sizes.sum_up():
            pass
        progress.close()
        worker.dispose()
        connection.execute("VACUUM (ANALYZE) messages, search_texts, message_counts")
        _limit_lists(connection, _USUAL)
    return {"count": round(time.monotonic() - since, 1)}


def _limit_lists(connection: psycopg.Connection, size: int) -> None:
    """Let texts of so many kB wait for the index of searches, before they are filed together."""
    for (part,) in connection.execute(_PARTS).fetchall():
        connection.execute(f"ALTER INDEX {part} SET (gin_pending_list_limit = {size})")


_LONG: Final = 512 * 1024  # kB
_USUAL: Final = 256  # kB, as the revision has it
_PARTS: Final = """
SELECT inhrelid::regclass::text FROM pg_inherits
WHERE inhparent = 'ix_search_texts_large'::regclass
"""
_ASK: Final = "INSERT INTO large_eboxes (ebox) VALUES (%s) ON CONFLICT DO NOTHING"
_IS_COUNTED: Final = "SELECT counted_at IS NOT NULL FROM large_eboxes WHERE ebox = %s"
