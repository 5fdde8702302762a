"""A document as a response: its headers, its ranges, its validators."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from flask import Response, g, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import quote_etag

from registry.api.context import call, registry
from registry.api.responses.document_faults import report_broken_download, report_faults
from registry.api.responses.preconditions import check_if_match
from registry.api.responses.proxied import is_proxy_ready, leave_to_proxy
from registry.blobs import Blob
from registry.blobs.checked import SMALL
from registry.domain.errors import Unavailable
from registry.services.consultation.consultation import Document
from registry.telemetry.metrics import count_cut

# Digits are counted, since Python takes long for numbers of millions of them.
_ONE_RANGE: Final = re.compile(
    r"bytes=\s*(?:(\d{1,25})-(\d{0,25})|-(\d{1,25}))\s*", re.ASCII | re.IGNORECASE
)

_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_UNSAFE: Final = re.compile(r'[^ -~]|["%\\/]', re.ASCII)


def download(document: Document, media_type: str) -> Response:
    """Answer 200, 206, 304, 412 or 416 (RFC 9110; headers of contract 6.28).

    Only 200 and 206 open the document, and so mark its message read.
    """
    check_if_match(document.attachment.digest)
    size = document.attachment.size
    response = Response(content_type=media_type)  # no charset: nobody knows it
    response.headers.update(_make_headers(document))
    response.set_etag(document.attachment.digest)
    if request.if_none_match.contains_weak(document.attachment.digest):
        response.status_code = 304
        registry().consultation.record_head(call(304), document)
        return response
    first, last = 0, size - 1
    span = _find_range(size, document.attachment.digest)
    if span is not None:
        first, last = span
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    # HEAD shows nothing, so that it does not mark the message read.
    if request.method == "GET" and size > SMALL and is_proxy_ready():
        with report_faults(document, str(g.occurrence)):
            path = registry().consultation.sign_document(call(response.status_code), document)
        return leave_to_proxy(response, path, span)
    if request.method != "HEAD":
        with report_faults(document, str(g.occurrence)):
            blob = registry().consultation.open_document(
                call(response.status_code), document, first, last
            )
        response.response = _hand_out(blob, document, str(g.occurrence))
        response.call_on_close(blob.close)
    else:
        registry().consultation.record_head(call(response.status_code), document)
    response.content_length = last + 1 - first
    return response


def _hand_out(blob: Blob, document: Document, trace_id: str) -> Iterator[bytes]:
    """Hand out the chunks; what is raised in the middle breaks the connection before the last.

    The client then sees by Content-Length that the document is short.
    """
    try:
        with report_faults(document, trace_id):
            yield from blob
    except GeneratorExit:
        count_cut("download", "client")
        raise
    except Unavailable:
        report_broken_download(document, trace_id)
        raise


def _find_range(size: int, digest: str) -> tuple[int, int] | None:
    """Find the one range asked for, first and last byte; None when the whole document is due.

    Several ranges, another unit or nonsense are ignored, as RFC 9110 allows, and so are ranges of
    an empty document or of a HEAD. A range that starts behind the end raises. `If-Range` with
    another validator, or a weak one, asks for the whole.
    """
    validator = quote_etag(digest)
    is_this_one = request.headers.get("If-Range", validator) == validator
    match = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or not is_this_one or request.method != "GET" or not size:
        return None
    start, end, suffix = match.groups()
    first = int(start) if start else max(0, size - int(suffix))
    last = int(end) if end else max(first, size - 1)
    if last < first:
        return None
    if first >= size:
        raise RequestedRangeNotSatisfiable(length=size)
    return first, min(last, size - 1)


def _make_headers(document: Document) -> dict[str, str]:
    return {
        "Content-Disposition": _write_disposition(document.attachment.file_name),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Accept-Ranges": "bytes",
    }


def _write_disposition(file_name: str) -> str:
    """Write the name twice: for readers of RFC 5987, and in ASCII for all others (RFC 6266, D)."""
    letters = _ACCENTS.sub("", unicodedata.normalize("NFKD", file_name))
    # Quotes, slashes and percent signs mean something to some of those readers.
    plain_name = _UNSAFE.sub("_", letters)
    return f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(file_name, safe='')}"
