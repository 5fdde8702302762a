"""The lines of an export, read without trust."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.audit.trail import bodies
from registry.audit.trail.bodies import Broken
from registry.audit.trail.chain import Copy
from registry.audit.trail.export_file import FORMAT, Header
from registry.audit.trail.records import Record

_NODE = 32  # bytes of a SHA-256
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry, and for a part of a seal its place there and the path that proves it."""

    record: Record
    index: int | None
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class End:
    """Who has signed the lines before this one."""

    key_id: str
    signature: str


def read(line: bytes) -> Copy | Proven | End:
    """A line after the first; raises `Broken`."""
    members = _members(line)
    if "record" in members:
        return _proven(members)
    signature = bodies.member(members, "signature", str)
    if "end" in members:
        return End(bodies.member(members, "end", str), signature)
    number, text = bodies.member(members, "seal", int), bodies.member(members, "text", str)
    return Copy(number, text, signature)


def read_header(line: bytes) -> Header:
    """The first line; raises `Broken`."""
    members = _members(line)
    if members.get("format") != FORMAT:
        raise Broken(f"This is not an export of the format {FORMAT}.")
    return Header(
        begin=bodies.instant(members, "from"),
        end=bodies.instant(members, "until"),
        made_at=bodies.instant(members, "made_at"),
        public_keys=tuple(map(_key, bodies.member(members, "keys", list))),
        about=bodies.member(members, "about", str, type(None)),
    )


def _members(line: bytes) -> dict[str, Any]:
    try:
        return bodies.members(line.decode())
    except UnicodeDecodeError as error:
        raise Broken("The line is not in UTF-8.") from error


def _proven(members: dict[str, Any]) -> Proven:
    match members["record"]:
        case [int(number), str(text), str() | None as ebox, str() | None as person]:
            record = Record(number, text, ebox, person)
        case _:
            raise Broken("The entry does not have its four parts.")
    if not 0 <= number <= _LARGEST:
        raise Broken("The number of the entry is not one that a store gives.")
    try:
        "".join((text, ebox or "", person or "")).encode()
    except UnicodeEncodeError as error:
        raise Broken("The entry has a lone surrogate, which is no character.") from error
    if "index" not in members:
        return Proven(record, None, ())
    joined = _base64(bodies.member(members, "path", str))
    path = tuple(joined[at : at + _NODE] for at in range(0, len(joined), _NODE))
    return Proven(record, bodies.member(members, "index", int), path)


def _key(raw: Any) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_base64(raw))
    except (ValueError, TypeError) as error:
        raise Broken("A key of the export is none.") from error


def _base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Broken("Something is not in base64.") from error
