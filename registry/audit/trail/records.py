"""An entry as it is stored, and the hash that stands for it.

Apart from what writes entries, as who only verifies may have no time zones on his machine.
"""

import hashlib
from struct import Struct
from typing import Final, NamedTuple

_FRAME: Final = Struct(">cQiii")  # RFC 6962's 0x00 of a leaf, the number, and three lengths
_NONE: Final = -1  # the length of what is not there


class Record(NamedTuple):
    """An entry under the number that the store gave it, with the pseudonyms it is found by."""

    number: int
    text: str
    ebox: str | None = None
    person: str | None = None


def leaf(record: Record) -> bytes:
    """SHA-256 of 0x00 (RFC 6962, 2.1) and the record in a form that only it has.

    That form is big-endian: the number in eight bytes; the lengths of text, e-Box and person in
    bytes, four each, -1 for None; then these three in UTF-8.
    """
    text = record.text.encode()
    ebox = b"" if record.ebox is None else record.ebox.encode()
    person = b"" if record.person is None else record.person.encode()
    frame = _FRAME.pack(
        b"\0",
        record.number,
        len(text),
        _NONE if record.ebox is None else len(ebox),
        _NONE if record.person is None else len(person),
    )
    return hashlib.sha256(b"".join((frame, text, ebox, person))).digest()
