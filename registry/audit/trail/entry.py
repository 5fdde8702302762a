"""One entry of the audit trail: its text (contract 4.20), its stored form and its hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, Final, NamedTuple

from registry.audit.trail import canonical_json

# RFC 6962's 0x00 of a leaf, the number, in form 2 the time, and three lengths
_FRAMES: Final = {1: Struct(">cQiii"), 2: Struct(">cQqiii")}
LEAF_FORM: Final = max(_FRAMES)  # of what is sealed from now on
_TIMESTAMP: Final = ',"TIMESTAMP":"'
_NONE: Final = -1  # the length of a text that is None
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


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
    """An entry under number and time that the store gave it, with the pseudonyms it is found by.

    The time is aware, and None only in exports that were made when it was under no seal.
    """

    number: int
    text: str
    ebox: str | None = None
    person: str | None = None
    recorded_at: datetime | None = None


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


def read_timestamp(text: str) -> datetime | None:
    """Read the time that an entry gives, without parsing the rest: its last member, in this form.

    None where it has none, or no time with its zone.
    """
    head, _, rest = text.rpartition(_TIMESTAMP)
    try:
        instant = datetime.fromisoformat(rest.removesuffix('"}')) if head else None
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None


def hash_leaf(record: Record, form: int = LEAF_FORM) -> bytes:
    """Hash a record for the Merkle tree: SHA-256 of 0x00 (RFC 6962, 2.1) and its binary form.

    That form is big-endian: the number in eight bytes; in form 2 the time in microseconds since
    1970, eight bytes too; the lengths of text, e-Box and person in bytes, four each, -1 for None;
    then these three in UTF-8. The format of a seal says which form its leaves have.
    """
    text = record.text.encode()
    ebox = b"" if record.ebox is None else record.ebox.encode()
    person = b"" if record.person is None else record.person.encode()
    # The lengths keep two records apart whose texts are one when they are put together.
    frame = _FRAMES[form].pack(
        b"\0",
        record.number,
        *([] if form == 1 else [_count_microseconds(record.recorded_at)]),
        len(text),
        _NONE if record.ebox is None else len(ebox),
        _NONE if record.person is None else len(person),
    )
    return hashlib.sha256(b"".join((frame, text, ebox, person))).digest()


def _count_microseconds(instant: datetime | None) -> int:
    # Of no time: an entry that has none agrees with no leaf of this form.
    return -(2**63) if instant is None else (instant - _EPOCH) // _MICROSECOND
