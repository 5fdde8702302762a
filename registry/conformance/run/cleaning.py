"""Tidies up after a run: the contract lets nobody delete, but a reader may hide."""

import time
from typing import Final

from registry.conformance.exchange.browser import Unreachable
from registry.conformance.requirement import Untestable
from registry.conformance.workbench import Workbench

_PATIENCE: Final = 30.0  # seconds for all of it


def tidy_up(bench: Workbench) -> str:
    """Hide what was published to the reader; tells what remains, empty for nothing."""
    ids = list(dict.fromkeys(bench.post_office.message_ids))
    if not ids:
        return ""
    bench.browser.end = time.monotonic() + _PATIENCE  # which may be over for the checks
    count = sum(_hide(bench, message_id) for message_id in ids)
    return (
        f"{len(ids)} messages were published for this run; {count} of them are hidden in the"
        " reader's e-Box now, and all are there until they expire: the contract deletes nothing."
    )


def _hide(bench: Workbench, message_id: str) -> bool:
    items = [{"messageId": message_id, bench.dialect.is_visible: False}]
    try:
        answer = bench.patch_messages(items)
    except (Unreachable, Untestable):
        return False
    return answer.status < 300
