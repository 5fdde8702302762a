"""Faults of a document on its way to a client: reported, and raised again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from registry.domain.errors import DocumentAltered, DocumentUnavailable
from registry.services.consultation.consultation import Document
from registry.telemetry.documents import report_fault
from registry.telemetry.harmless import harmless
from registry.telemetry.metrics import count_cut

_log: Final = structlog.get_logger("registry.documents")


@contextmanager
def report_faults(document: Document, trace_id: str) -> Iterator[None]:
    """Report what is wrong with a document that is opened or read within; it is raised again."""
    try:
        yield
    except DocumentUnavailable as error:
        report_fault(
            is_altered=isinstance(error, DocumentAltered),
            key=document.attachment.blob_key,
            message_id=document.message_id,
            trace_id=trace_id,
        )
        raise


@harmless
def report_broken_download(document: Document, trace_id: str) -> None:
    """Log that the store broke off in the middle; the client sees that he has a part."""
    count_cut("download", "storage")
    _log.warning("document broken off", trace_id=trace_id, key=document.attachment.blob_key)
