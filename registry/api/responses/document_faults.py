"""Documents that storage has lost or altered: counted, and logged for operators."""

from typing import Final

import structlog

from registry.domain.errors import DocumentAltered, DocumentUnavailable
from registry.telemetry import metrics
from registry.telemetry.harmless import harmless

_log: Final = structlog.get_logger("registry.documents")


@harmless
def report_document_fault(error: DocumentUnavailable, trace_id: str) -> None:
    """Count and log the fault; the trail has the document of this trace."""
    if isinstance(error, DocumentAltered):
        metrics.DOCUMENTS_ALTERED.inc()
        _log.error("document altered", trace_id=trace_id)
    else:
        metrics.DOCUMENTS_UNAVAILABLE.inc()
        _log.error("document unavailable", trace_id=trace_id)


def report_broken_download(trace_id: str) -> None:
    """Log that the store broke off in the middle; the client sees that he has a part."""
    _log.warning("document broken off", trace_id=trace_id)
