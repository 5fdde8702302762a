"""Answers of the loop itself, to requests that no thread takes.

They have no version: what was asked for is not known, or nobody is free to render it.
"""

from http import HTTPStatus
from typing import Final


def _write(status: HTTPStatus, name: str, detail: str, *headers: str) -> bytes:
    content = (
        f'{{"type":"urn:problem-type:ebox:messageRegistry:{name}","title":"{status.phrase}",'
        f'"status":{status.value},"detail":"{detail}"}}'
    )
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(content)}",
        "Cache-Control: no-store",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", content]).encode("ascii")


TOO_SLOW: Final = _write(
    HTTPStatus.REQUEST_TIMEOUT, "requestTimeout", "The request was sent too slowly"
)
HEAD_TOO_LARGE: Final = _write(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headersTooLarge", "The headers are too large"
)
BUSY: Final = _write(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "serviceUnavailable",
    "Too many long requests at a time",
    "Retry-After: 5",
)
