"""Documents that the proxy in front hands out: it fetches them from S3, and no thread moves bytes.

nginx calls this X-Accel-Redirect. Only a document that is seen whole anyway, a small one, goes
through here, since its digest is looked at before its first byte.
"""

from typing import Final

from flask import Response, request

from registry.api.state import get_state

_PLACE: Final = "/_documents"  # the proxy's own, which answers nobody from outside


def is_proxy_ready() -> bool:
    """Tell if this request came by a proxy that can do it, and we are to count on it."""
    return (
        get_state().leaves_documents_to_proxy and request.headers.get("X-Accel", "") == "documents"
    )


def leave_to_proxy(response: Response, path: str, span: tuple[int, int] | None) -> Response:
    """Name the document, and its first and last byte if not all of it is due.

    The proxy keeps the headers that the response has, and takes status and length from S3. The name
    of the file goes apart: nginx would put it on its own error too, which browsers would save.
    """
    response.headers["X-Accel-Redirect"] = _PLACE + path
    response.headers.pop("Content-Range", None)
    response.headers["X-Document-Disposition"] = response.headers.pop("Content-Disposition")
    if span is not None:
        response.headers["X-Document-Range"] = "bytes={}-{}".format(*span)
    response.content_length = 0
    return response
