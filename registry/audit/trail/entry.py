"""One entry of the audit trail: its text (contract 4.20), its stored form and its hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, NamedTuple

from registry.audit.trail import canonical_json

_FRAME: Final = Struct(">cQiii")  # RFC 6962's 0x00 of a leaf, the number, and three lengths
_NONE: Final = -1  # the length of a text that is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call that succeeded; `ebox` and `person` are pseudonyms, `key id:hash`.

    They are for searching and stand beside the text of the contract, not in it.
    """

    # Text already: whoever verifies the trail may have no time zones on his machine, so that this
    # module cannot know of Belgian time.
    timestamp: str
    token_hash: str | None
    client_id: str
    method: str
    url: str
    status: int
    details: Mapping[str, Any]
    ebox: str | None = None
    person: str | None = None


class Record(NamedTuple):
    """An entry under the number that the store gave it, with the pseudonyms it is found by."""

    number: int
    text: str
    ebox: str | None = None
    person: str | None = None


def write_entry(entry: Entry) -> str:
    """Write an entry under the seven keys of contract 4.20, in the form of RFC 8785.

    Raises `canonical_json.NotCanonical` for details with a float or anything else that JSON writes
    in more than one way.
    """
    return canonical_json.dumps(
        {
            "TIMESTAMP": entry.timestamp,
            "SUBJECT_TOKEN_HASHED": entry.token_hash,
            "CLIENT_ID": entry.client_id,
            "API_CALL_REQUEST_METHOD": entry.method,
            "API_CALL_REQUEST_URL": entry.url,
            "API_CALL_RESPONSE_CODE": entry.status,
            "API_CALL_DETAILS": dict(entry.details),
        }
    )


def hash_leaf(record: Record) -> bytes:
    """Hash a record for the Merkle tree: SHA-256 of 0x00 (RFC 6962, 2.1) and its one binary form.

    That form is big-endian: the number in eight bytes; the lengths of text, e-Box and person in
    bytes, four each, -1 for None; then these three in UTF-8.
    """
    text = record.text.encode()
    ebox = b"" if record.ebox is None else record.ebox.encode()
    person = b"" if record.person is None else record.person.encode()
    # The lengths keep two records apart whose texts are one when they are put together.
    frame = _FRAME.pack(
        b"\0",
        record.number,
        len(text),
        _NONE if record.ebox is None else len(ebox),
        _NONE if record.person is None else len(person),
    )
    return hashlib.sha256(b"".join((frame, text, ebox, person))).digest()
