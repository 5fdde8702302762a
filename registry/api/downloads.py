"""A document as a response: its headers, its ranges, its validators."""

from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import NotAcceptable, RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from registry.api.context import registry
from registry.api.negotiation import accepts
from registry.services.consulting import Document


def download(document: Document, media_type: str) -> Response:
    """Answer 200, 206, 304, 406 or 416 (RFC 9110; headers of contract 6.28).

    Only 200 and 206 open the document, and so mark its message read.
    """
    if not accepts(media_type):
        raise NotAcceptable
    size = document.attachment.size
    response = Response(mimetype=media_type)
    response.headers.update(_headers(document))
    response.set_etag(document.attachment.digest)
    if request.if_none_match.contains_weak(document.attachment.digest):
        response.status_code = 304
        return response
    first, last = 0, size - 1
    span = _asked(size, document.attachment.digest)
    if span is not None:
        first, last = span
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if request.method != "HEAD":
        blob = registry().consulting.open(document, first, last)
        # a store that breaks off in the middle breaks the connection: the client sees it is short
        response.response = blob
        response.call_on_close(blob.close)
    response.content_length = last + 1 - first
    return response


def _asked(size: int, digest: str) -> tuple[int, int] | None:
    """The one range asked for, first and last byte; None when the whole document is due.

    Several ranges, another unit or nonsense are ignored, as RFC 9110 allows; a range that starts
    behind the end raises. `If-Range` with another validator asks for the whole.
    """
    if_range = request.if_range
    if "If-Range" in request.headers and if_range.etag != digest:
        return None
    ranges = parse_range_header(request.headers.get("Range"))
    if ranges is None or ranges.units != "bytes" or len(ranges.ranges) != 1:
        return None
    span = ranges.range_for_length(size)
    if span is None:
        raise RequestedRangeNotSatisfiable(length=size)
    return span[0], span[1] - 1


def _headers(document: Document) -> dict[str, str]:
    name = quote(document.attachment.file_name, safe="")
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Accept-Ranges": "bytes",
    }
