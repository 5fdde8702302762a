"""Documents that storage has lost or altered: counted, and logged for operators by their key."""

from typing import Final
from uuid import UUID

import structlog

from registry.telemetry import metrics
from registry.telemetry.harmless import harmless

_log: Final = structlog.get_logger("registry.documents")


@harmless
def report_fault(
    *, is_altered: bool, key: str, message_id: UUID, trace_id: str | None = None
) -> None:
    """Count and log that a document is altered, or not to be had, with a message that has it.

    The trail knows whose it is, and by `trace_id` who asked, if anybody did.
    """
    names = {"key": key, "message_id": str(message_id)}
    if trace_id is not None:
        names["trace_id"] = trace_id
    if is_altered:
        metrics.DOCUMENTS_ALTERED.inc()
        _log.error("document altered", **names)
    else:
        metrics.DOCUMENTS_UNAVAILABLE.inc()
        _log.error("document unavailable", **names)


@harmless
def report_not_stored(trace_id: str) -> None:
    """Count and log that storage got other bytes than were sent, which nobody keeps."""
    metrics.DOCUMENTS_NOT_STORED.inc()
    _log.error("document not stored", trace_id=trace_id)
