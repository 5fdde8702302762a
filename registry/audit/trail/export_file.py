"""Exports of the audit trail: one file of JSON lines that carries its own proof.

The lines are a header; the seals, each followed by its entries; and the end, a signature over the
SHA-256 of all lines before it, or that alone where nobody signed the export as a whole. A whole
seal comes with all its entries; a part of a seal has its head alone and some of its entries, each
with the path that proves it (RFC 6962, 2.1.1).
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.audit.trail import canonical_json, keys, merkle
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.entry import Record
from registry.audit.trail.seal import parse_seal, read_head
from registry.audit.trail.untrusted_json import (
    DamagedText,
    read_instant,
    read_member,
    read_object,
)

FORMAT: Final = "ebox-audit-bundle/2"
_FORMATS: Final = ("ebox-audit-bundle/1", FORMAT)  # in the first, entries had no time
_NODE: Final = 32  # bytes of a SHA-256
_LARGEST_NUMBER: Final = 2**63 - 1  # of a bigint


class NotSealed(ValueError):
    """The seal does not have an entry with this number, so that nothing can prove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportHeader:
    """The first line; instants are aware, the period is without its end.

    `about` is the pseudonym whose entries were asked for, None for everybody's.
    """

    begin: datetime
    end: datetime
    made_at: datetime
    public_keys: tuple[Ed25519PublicKey, ...]  # all that have signed what is inside
    about: str | None = None
    format: str = FORMAT


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry, and for a part of a seal its place there and the path that proves it."""

    record: Record
    index: int | None
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EndLine:
    """The key that signed the lines before this one, and its signature.

    Without a key it is their SHA-256.
    """

    key_id: str | None
    signature: str


def write_header(header: ExportHeader) -> str:
    """Write the first line."""
    members = {
        "format": header.format,
        "from": header.begin.isoformat(),
        "until": header.end.isoformat(),
        "made_at": header.made_at.isoformat(),
        "about": header.about,
        "keys": [base64.b64encode(key.public_bytes_raw()).decode() for key in header.public_keys],
    }
    return canonical_json.dumps(members)


def write_whole_seal(copy: SealCopy, records: Iterable[Record]) -> Iterator[str]:
    """Write the lines of a seal and all its entries, by (xid, number)."""
    yield _write_seal(copy.number, copy.text, copy.signature)
    for record in records:
        yield canonical_json.dumps({"record": _write_record(record)})


def write_part_of_seal(copy: SealCopy, records: Iterable[Record]) -> Iterator[str]:
    """Write the lines of some entries of a seal, of which `copy` has the whole text.

    The entries come by (xid, number), as those of a whole seal. Raises `NotSealed`.
    """
    # The head alone: the body would tell of entries that are not part of the export.
    yield _write_seal(copy.number, read_head(copy.text), copy.signature)
    seal, records = parse_seal(copy.text), list(records)
    places = {number: index for index, number in enumerate(seal.numbers)}
    for record in records:
        if record.number not in places:
            raise NotSealed(f"Seal {seal.number} has no entry {record.number}.")
    indexes = [places[record.number] for record in records]
    proofs = merkle.find_paths(seal.leaves, indexes)
    for record, index, proof in zip(records, indexes, proofs, strict=True):
        path = base64.b64encode(b"".join(proof)).decode()
        members = {"record": _write_record(record), "index": index, "path": path}
        yield canonical_json.dumps(members)


def sign_lines(lines: Iterable[str], private_key: Ed25519PrivateKey | None) -> Iterator[bytes]:
    """Encode the lines as the file has them, and add the end that signs them, if there is a key."""
    digest, count = hashlib.sha256(), 0
    for line in lines:
        line_bytes = f"{line}\n".encode()
        digest.update(line_bytes)
        count += 1
        yield line_bytes
    signer, signature = None, digest.hexdigest()
    if private_key:
        signer = keys.compute_key_id(private_key.public_key())
        signature = keys.sign(private_key, write_statement(count, digest.hexdigest()))
    yield f"{canonical_json.dumps({'end': signer, 'signature': signature})}\n".encode()


def write_statement(lines: int, sha256: str, form: str = FORMAT) -> str:
    """Write the text that the end signs: the number of lines before it, and their SHA-256."""
    return canonical_json.dumps({"format": f"{form} end", "lines": lines, "sha256": sha256})


def read_header(line: bytes) -> ExportHeader:
    """Read the first line; raise `DamagedText`."""
    members = _read_members(line)
    form = members.get("format")
    if form not in _FORMATS:
        raise DamagedText(f"This is not an export of the format {' or '.join(_FORMATS)}.")
    return ExportHeader(
        begin=read_instant(members, "from"),
        end=read_instant(members, "until"),
        made_at=read_instant(members, "made_at"),
        public_keys=tuple(map(_read_key, read_member(members, "keys", list))),
        about=read_member(members, "about", str, type(None)),
        format=form,
    )


def read_line(line: bytes) -> SealCopy | EntryLine | EndLine:
    """Read a line after the first; raise `DamagedText`."""
    members = _read_members(line)
    if "record" in members:
        return _read_entry(members)
    signature = read_member(members, "signature", str)
    if "end" in members:
        return EndLine(read_member(members, "end", str, type(None)), signature)
    number, text = read_member(members, "seal", int), read_member(members, "text", str)
    return SealCopy(number, text, signature)


def _write_record(record: Record) -> list[Any]:
    recorded_at = record.recorded_at
    time = recorded_at and recorded_at.astimezone(UTC).isoformat(timespec="microseconds")
    return [record.number, record.text, record.ebox, record.person, time]


def _write_seal(number: int, text: str, signature: str) -> str:
    return canonical_json.dumps({"seal": number, "text": text, "signature": signature})


def _read_members(line: bytes) -> dict[str, Any]:
    try:
        return read_object(line.decode())
    except UnicodeDecodeError as error:
        raise DamagedText("The line is not in UTF-8.") from error


def _read_entry(members: dict[str, Any]) -> EntryLine:
    match members["record"]:
        case [int(number), str(text), str() | None as ebox, str() | None as person, *rest]:
            record = Record(number, text, ebox, person, _read_time(rest))
        case _:
            raise DamagedText("The entry does not have its parts.")
    if not 0 <= number <= _LARGEST_NUMBER:
        raise DamagedText("The number of the entry is not one that a store gives.")
    try:
        # JSON can write a lone surrogate, which would make the hash of the entry fail.
        "".join((text, ebox or "", person or "")).encode()
    except UnicodeEncodeError as error:
        raise DamagedText("The entry has a lone surrogate, which is no character.") from error
    if "index" not in members:
        return EntryLine(record, None, ())
    path_bytes = _read_base64(read_member(members, "path", str))
    path = tuple(path_bytes[at : at + _NODE] for at in range(0, len(path_bytes), _NODE))
    return EntryLine(record, read_member(members, "index", int), path)


def _read_time(parts: list[Any]) -> datetime | None:
    """Read what follows the pseudonyms of an entry: its time, or nothing in the first format."""
    match parts:
        case [] | [None]:
            return None
        case [str(time)]:
            return read_instant({"time": time}, "time")
    raise DamagedText("The entry does not have its parts.")


def _read_key(text: Any) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_read_base64(text))
    except (ValueError, TypeError) as error:
        raise DamagedText("A key of the export is none.") from error


def _read_base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DamagedText("Something is not in base64.") from error
