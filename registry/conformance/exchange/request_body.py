"""Bodies of requests."""

import json
from dataclasses import dataclass
from typing import Any, Final

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A body and its media type; `note` says in words what it is, for the report."""

    content: bytes
    media_type: str
    note: str


def make_json_body(content: Any, media_type: str = JSON) -> RequestBody:
    """Make a body of JSON."""
    return make_raw_body(json.dumps(content).encode(), media_type)


def make_raw_body(content: bytes, media_type: str) -> RequestBody:
    """Make a body of whatever bytes."""
    return RequestBody(content, media_type, f"{len(content)} bytes of {media_type}")
