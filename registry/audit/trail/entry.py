"""What the audit trail says of one call (contract 4.20)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.audit.trail import canonical_json
from registry.audit.trail.records import Record, leaf
from registry.domain.queries import BELGIUM

__all__ = ["Entry", "Record", "canonical", "leaf", "timestamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call that succeeded; `ebox` and `person` are pseudonyms, `key id:hash`.

    They are for searching and stand beside the text of the contract, not in it.
    """

    at: datetime  # aware
    token_hash: str | None
    client_id: str
    method: str
    url: str
    status: int
    details: Mapping[str, Any]
    ebox: str | None = None
    person: str | None = None


def canonical(entry: Entry) -> str:
    """The entry under the seven keys of contract 4.20, as RFC 8785 writes it.

    Raises `ValueError` for a time without zone, `jcs.NotCanonical` for details with a float or
    anything else that JSON writes in more than one way.
    """
    return canonical_json.dumps(
        {
            "TIMESTAMP": timestamp(entry.at),
            "SUBJECT_TOKEN_HASHED": entry.token_hash,
            "CLIENT_ID": entry.client_id,
            "API_CALL_REQUEST_METHOD": entry.method,
            "API_CALL_REQUEST_URL": entry.url,
            "API_CALL_RESPONSE_CODE": entry.status,
            "API_CALL_DETAILS": dict(entry.details),
        }
    )


def timestamp(at: datetime) -> str:
    """ISO 8601 with six decimals in Belgian time, the offset in numbers (contract 4.20: CET)."""
    if at.tzinfo is None:
        raise ValueError("A time without its zone is not when something happened.")
    return at.astimezone(BELGIUM).isoformat(timespec="microseconds")
