"""Trace ids by which one request is found with all who had to do with it (W3C Trace Context)."""

from typing import Final
from uuid import uuid4

_HEX: Final = frozenset("0123456789abcdef")
_VERSION: Final = "00"
_UNKNOWN: Final = "ff"  # a version that there cannot be
_LENGTHS: Final = (2, 32, 16, 2)  # of version, trace id, parent id and flags
_PARENT_LENGTH: Final = 16
_NOT_SAMPLED: Final = "00"


def make_trace_id() -> str:
    """Make a new one: 32 hexadecimal digits."""
    return uuid4().hex


def read_trace_id(traceparent: str) -> str | None:
    """Read the trace id of a header that is well formed; None of any other.

    A version to come may have more behind the flags; of ours there is nothing more.
    """
    fields = traceparent.split("-", 4)
    version, trace_id, parent_id = (*fields, "", "", "")[:3]
    if tuple(map(len, fields[:4])) != _LENGTHS or not _HEX.issuperset("".join(fields[:4])):
        return None
    if version == _UNKNOWN or (version == _VERSION and len(fields) > len(_LENGTHS)):
        return None
    return trace_id if trace_id.strip("0") and parent_id.strip("0") else None


def make_traceparent(trace_id: str) -> str:
    """Make the header that hands a trace id on, with a parent id of our own."""
    return f"{_VERSION}-{trace_id}-{uuid4().hex[-_PARENT_LENGTH:]}-{_NOT_SAMPLED}"
