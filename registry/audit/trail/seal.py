"""Seals: signed statements about the entries of the audit trail, each naming the one before it.

The text of a seal is two lines of canonical JSON. The first, the head, is signed, and named by the
next seal: it has the root of the leaves and the hash of the second line. The second, the body,
lists numbers and leaves, so that a verifier can say which entry was tampered with. A head without
its body is enough for a verifier who has a path (RFC 6962, 2.1.1), as in a part of a seal.

There are two formats: under the second the time of an entry is part of its leaf, and a head may
tell of a break.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit.trail import canonical_json, keys, merkle
from registry.audit.trail.breaks import Break, join_runs, read_break, write_break
from registry.audit.trail.entry import LEAF_FORM, Record, hash_leaf
from registry.audit.trail.untrusted_json import (
    DamagedText,
    read_instant,
    read_member,
    read_object,
)

_FORMAT: Final = "ebox-audit-seal/"  # and the form of the leaves
_FORMS: Final = {f"{_FORMAT}{form}": form for form in (1, 2)}
GENESIS: Final = "0" * 64  # the hash that the first seal names
_LEAF: Final = 32  # bytes of a SHA-256

_MEMBERS: Final[dict[str, tuple[type, ...]]] = {
    "number": (int,),
    "previous": (str,),
    "first_xid": (int,),
    "until_xid": (int,),
    "count": (int,),
    "first_number": (int, type(None)),
    "last_number": (int, type(None)),
    "root": (str,),
    "key_id": (str,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Entries of the transactions `first_xid` to just before `until_xid`, by (xid, number).

    `previous` is the hash (`hash_seal`) of the seal before it, `root` hexadecimal. `numbers` and
    `leaves` are empty where only the head was read. A seal with a count of 0 moves the range on.
    `form` is that of the leaves. A seal with a break has no entries.
    """

    number: int  # from 1
    previous: str
    first_xid: int
    until_xid: int
    count: int
    first_number: int | None  # the lowest
    last_number: int | None  # the highest
    root: str
    sealed_at: datetime  # aware
    key_id: str
    numbers: tuple[int, ...] = ()
    leaves: tuple[bytes, ...] = ()
    form: int = LEAF_FORM
    known_break: Break | None = None


def make_next_seal(
    previous: str | None,
    records: Iterable[Record],
    until_xid: int,
    *,
    sealed_at: datetime,
    key_id: str,
    known_break: Break | None = None,
) -> Seal:
    """Make the seal after the one with the text `previous`, over all records before `until_xid`.

    `previous` None begins the chain; the range begins where that of the seal before ended, or at 0.
    """
    before = parse_seal(read_head(previous)) if previous else None
    # Records come in bounded memory; their numbers and hashes alone are kept.
    pairs = [(record.number, hash_leaf(record)) for record in records]
    numbers, leaves = tuple(number for number, _ in pairs), tuple(leaf for _, leaf in pairs)
    return Seal(
        number=before.number + 1 if before else 1,
        previous=hash_seal(previous) if previous else GENESIS,
        first_xid=before.until_xid if before else 0,
        until_xid=until_xid,
        count=len(pairs),
        first_number=min(numbers, default=None),
        last_number=max(numbers, default=None),
        root=merkle.compute_root(leaves).hex(),
        sealed_at=sealed_at,
        key_id=key_id,
        numbers=numbers,
        leaves=leaves,
        known_break=known_break,
    )


def write_seal(seal: Seal) -> str:
    """Write both lines of a whole seal; equal seals have equal texts."""
    body = write_body(seal.numbers, seal.leaves)
    members = {name: getattr(seal, name) for name in _MEMBERS}
    sealed_at = seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    members |= {"body": _sha256(body), "format": f"{_FORMAT}{seal.form}", "sealed_at": sealed_at}
    if seal.known_break:
        members["break"] = write_break(seal.known_break)
    return f"{canonical_json.dumps(members)}\n{body}"


def write_body(numbers: Sequence[int], leaves: Sequence[bytes]) -> str:
    """Write the second line: runs `[first, length]` of successive numbers, and leaves in base64."""
    # Numbers are nearly always successive: as runs they take no room beside the leaves.
    leaf_bytes = base64.b64encode(b"".join(leaves)).decode()
    return canonical_json.dumps({"leaves": leaf_bytes, "numbers": join_runs(numbers)})


def read_head(text: str) -> str:
    """Read the first line: it is signed, hashed, and given with a part of the seal."""
    return text.partition("\n")[0]


def parse_seal(text: str) -> Seal:
    """Parse the text of a seal, or its head alone; raise `DamagedText`.

    Root and body are not compared here, but by the verifier (`verify.check_leaves`).
    """
    _require_characters(text)
    first, _, body = text.partition("\n")
    members = read_object(first)
    form = _FORMS.get(read_member(members, "format", str))
    if form is None:
        raise DamagedText(f"The seal has none of the formats {', '.join(_FORMS)}.")
    if body and _sha256(body) != members.get("body"):
        raise DamagedText("The second line of the seal is not the one that was signed.")
    numbers, leaves = parse_body(body) if body else ((), ())
    values = {name: read_member(members, name, *types) for name, types in _MEMBERS.items()}
    sealed_at = read_instant(members, "sealed_at")
    known_break = None
    if form > 1 and "break" in members:
        known_break = read_break(read_member(members, "break", dict))
    return Seal(
        **values,
        sealed_at=sealed_at,
        numbers=numbers,
        leaves=leaves,
        form=form,
        known_break=known_break,
    )


def parse_body(line: str) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    """Parse the second line into numbers and leaves, as many of each; raise `DamagedText`."""
    members = read_object(line)
    try:
        leaf_bytes = base64.b64decode(read_member(members, "leaves", str), validate=True)
    except binascii.Error as error:
        raise DamagedText("The leaves are not in base64.") from error
    leaves = tuple(leaf_bytes[at : at + _LEAF] for at in range(0, len(leaf_bytes), _LEAF))
    numbers = _split_runs(read_member(members, "numbers", list), len(leaves))
    if len(leaf_bytes) % _LEAF or len(numbers) != len(leaves):
        raise DamagedText("The numbers and leaves do not go together.")
    return numbers, leaves


def hash_seal(text: str) -> str:
    """Hash a head in hexadecimal SHA-256, by which the next seal names this one."""
    return _sha256(read_head(text))


def sign_seal(private_key: Ed25519PrivateKey, text: str) -> str:
    """Sign the head of a seal, which holds for the body too; the signature in base64."""
    return keys.sign(private_key, read_head(text))


def verify_signature(public_keys: keys.Keys, text: str, signature: str) -> None:
    """Raise `keys.UnknownKey` or `keys.BadSignature`, or `DamagedText` for text that is no seal."""
    head = read_head(text)
    keys.verify(public_keys, parse_seal(head).key_id, head, signature)


def _require_characters(text: str) -> None:
    try:
        # JSON can write a lone surrogate, of which there is no hash.
        text.encode()
    except UnicodeEncodeError as error:
        raise DamagedText("The seal has a lone surrogate, which is no character.") from error


def _split_runs(runs: list[Any], limit: int) -> tuple[int, ...]:
    numbers: list[int] = []
    for run in runs:
        match run:
            # Without the limit a few bytes could stand for numbers that fill the memory.
            case [int(first), int(length)] if len(numbers) + length <= limit:
                numbers.extend(range(first, first + length))
            case _:
                raise DamagedText("The numbers are not in runs.")
    return tuple(numbers)


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
