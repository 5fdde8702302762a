"""What the client accepts."""

from typing import Final

from flask import request
from werkzeug.exceptions import NotAcceptable

_JSON: Final = "application/json"


def accepts(media_type: str) -> bool:
    """Whether the client takes this media type; a client that says nothing takes all."""
    header = request.headers.get("Accept")
    return header in (None, "", "*/*") or bool(request.accept_mimetypes[media_type])


def check_accept() -> None:
    """Refuse a client that takes no JSON; documents and logos check for their own media type."""
    is_document = (request.endpoint or "").endswith(("content", "image"))
    if request.method != "OPTIONS" and not is_document and not accepts(_JSON):
        raise NotAcceptable
