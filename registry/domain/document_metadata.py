"""Metadata that storage keeps with a document: ASCII, and never as much as 2 KB (ADR 030).

Nothing is in it of the e-Boxes or of what the message says: storage encrypts objects, and not this.
"""

import base64
from collections.abc import Mapping
from uuid import UUID


def make_metadata(
    message_id: UUID, media_type: str, file_name: str | None, digest: str | None
) -> Mapping[str, str]:
    """Make the metadata of a document of a message.

    The file name is base64url of UTF-8, so that the longest one fits: 255 characters of four bytes
    each are 1,360, where percent-encoding needs 3,060. `digest` is SHA-256 in base64url, None while
    it is not known.
    """
    members = {
        "message-id": str(message_id),
        "media-type": media_type,
        "file-name": _encode(file_name) if file_name else None,
        "sha-256": digest,
    }
    return {name: value for name, value in members.items() if value is not None}


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()
