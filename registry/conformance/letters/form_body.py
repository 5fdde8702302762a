"""Bodies of publications: multipart/form-data with the parts in any order (RFC 7578)."""

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from registry.conformance.exchange.request_body import RequestBody
from registry.conformance.letters.papers import Paper

MESSAGE_PART: Final = "messageToPublish"


def make_form_body(
    message: dict[str, Any] | bytes | None, papers: Sequence[Paper], *, message_last: bool = False
) -> RequestBody:
    """Make a body of the message, if there is one, and the documents."""
    boundary = uuid4().hex
    documents = [_make_document_part(paper) for paper in papers]
    parts = documents
    if message is not None:
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        first = _make_part(f'name="{MESSAGE_PART}"', "application/json", text)
        parts = [*documents, first] if message_last else [first, *documents]
    opening = b"--" + boundary.encode() + b"\r\n"
    content = b"".join([*(opening + part for part in parts), opening[:-2] + b"--\r\n"])
    order = "last" if message_last else "first"
    note = f"a form of {len(papers)} documents, {len(content)} bytes; {MESSAGE_PART} comes {order}"
    return RequestBody(content, f"multipart/form-data; boundary={boundary}", note)


def _make_document_part(paper: Paper) -> bytes:
    disposition = f'name="{paper.part}"'
    if paper.file_name is not None:
        file_name = paper.file_name.replace("\\", "\\\\").replace('"', "%22")
        disposition += f'; filename="{file_name}"'
    return _make_part(disposition, paper.media_type, paper.content)


def _make_part(disposition: str, media_type: str | None, content: bytes) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}"]
    if media_type is not None:
        lines.append(f"Content-Type: {media_type}")
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n"
