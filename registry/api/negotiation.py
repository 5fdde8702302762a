"""What the client accepts."""

from typing import Final

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

_JSON: Final = "application/json"


def accepts(media_type: str) -> bool:
    """Whether the client takes this media type; a client that says nothing takes all.

    Parameters are not looked at: whoever asks for JSON in UTF-8 gets what he asks for.
    """
    if request.headers.get("Accept") in (None, "", "*/*"):
        return True
    asked = [(kind.partition(";")[0], quality) for kind, quality in request.accept_mimetypes]
    return bool(MIMEAccept(asked)[media_type])


def check_accept() -> None:
    """Refuse a client that takes no JSON; documents and logos check for their own media type."""
    is_document = (request.endpoint or "").endswith(("content", "image"))
    if request.method != "OPTIONS" and not is_document and not accepts(_JSON):
        raise NotAcceptable
