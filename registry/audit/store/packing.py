"""Packed entries: text and pseudonyms of an entry in half of their bytes, as they are stored.

What lies under a seal is the text, which comes out again byte by byte. Each form of packing is kept
for as long as entries in it are: ten years and more.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from registry.audit.trail import canonical_json
from registry.audit.trail.entry import Record

_FORM: Final = b"\1"
# Raw DEFLATE in 8 kB: more memory is more to be cleared for each entry, and saves nothing.
_LEVEL, _WINDOW, _MEMORY = 6, -13, 5
_LARGEST: Final = 2**25  # bytes of a text: somebody may have put in what never ends
_NEXT, _GIVEN = "\0", "+"  # no canonical JSON has either of them bare; a given name may be empty

# What most entries have in common, which is not stored with each: never changed, but by a form of
# its own. The names of members come last, in their order, since each entry begins with them.
_DICTIONARY: Final = (
    b'"attachments":[{"attachmentId":"1","digest":{"digestMethod":"sha_256","digestValue":"'
    b'"},"mediaType":"application/pdf","size":"originalMessageId":"isVisible":{"from":true,"to":false}'
    b'"partition":{"from":"GENERAL","to":"API_CALL_REQUEST_METHOD":"PATCH","DELETE","DO","POST","PUT"'
    b'"urn:registry:purge","nbErrorCases":0,"nbSuccessLinks":"holdId":"eventCorrelationId":"operator":"'
    b"/REST/ebox/citizen/messageRegistry/v2/mandates/ebox/statistics/referenceData/messageTypes/"
    b"senderApplications/senders/organizations?page=1&pageSize=25&isRead=false/paymentData/structuredData"
    b'/status/publish"attachmentId":"main","contentId":"/attachments/1/content,"API_CALL_RESPONSE_CODE":201'
    b'{"API_CALL_DETAILS":{"changes":[],"messageId":"messageIds":["","trace":"'
    b'"},"API_CALL_REQUEST_METHOD":"GET","API_CALL_REQUEST_URL":"'
    b'/REST/ebox/enterprise/messageRegistry/v3/ebox/messages","API_CALL_RESPONSE_CODE":200,"CLIENT_ID":"'
    b'","SUBJECT_TOKEN_HASHED":null,"SUBJECT_TOKEN_HASHED":"'
    b'","TIMESTAMP":"2026-12-01T10:00:00.000000+01:00"}\0+\0+'
)


def pack(text: str, ebox: str | None, person: str | None) -> bytes:
    """Pack the text of an entry with its pseudonyms."""
    parts = [text, *("" if name is None else f"{_GIVEN}{name}" for name in (ebox, person))]
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zdict=_DICTIONARY)
    return b"".join((_FORM, packer.compress(_NEXT.join(parts).encode()), packer.flush()))


def unpack(parcel: bytes) -> tuple[str, str | None, str | None]:
    """Unpack text, e-Box and person; raises `ValueError` for what nobody has packed here."""
    if parcel[:1] != _FORM:
        raise ValueError("The entry is packed in no form that is known here.")
    unpacker = zlib.decompressobj(_WINDOW, zdict=_DICTIONARY)
    try:
        content = unpacker.decompress(parcel[1:], _LARGEST)
    except zlib.error as error:
        raise ValueError("The entry is damaged.") from error
    parts = content.decode().split(_NEXT)
    if not unpacker.eof or unpacker.unused_data or len(parts) != 3:
        raise ValueError("The entry is not whole.")
    text, ebox, person = parts
    return text, _read_name(ebox), _read_name(person)


def read_record(
    number: int, parcel: bytes | None, columns: Iterable[str | None], recorded_at: datetime
) -> Record:
    """Read a record out of its row; `columns` are text, e-Box and person where it is not packed.

    A packed entry has none of these: one that was put there stands for what was packed, and so is
    found not to be as it was sealed. What cannot be unpacked is shown as it is, under a name of its
    own, and is not as it was sealed either.
    """
    parts: Iterable[str | None] = ("", None, None)
    if parcel is not None:
        try:
            parts = unpack(parcel)
        except ValueError:
            parts = (canonical_json.dumps({"DAMAGED": parcel.hex()}), None, None)
    text, ebox, person = (
        part if column is None else column for column, part in zip(columns, parts, strict=True)
    )
    return Record(number, text or "", ebox, person, recorded_at)


def _read_name(part: str) -> str | None:
    if part and not part.startswith(_GIVEN):
        raise ValueError("The entry has a name that nobody has packed.")
    return part[1:] if part else None
