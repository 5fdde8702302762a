"""Seals: signed statements of what the audit trail holds, each naming the one before it.

The text of a seal is two lines of canonical JSON. The first, the head, is what is signed and what
the next seal names: it holds the root of the leaves, and the hash of the second line. The second,
the body, lists numbers and leaves, so that what was tampered with can be told. A head without its
body proves as much to whoever holds a path (RFC 6962, 2.1.1): it is what a part of a seal needs.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit.trail import bodies, canonical_json, keys, merkle
from registry.audit.trail.bodies import Broken
from registry.audit.trail.records import Record, leaf

FORMAT: Final = "ebox-audit-seal/1"
GENESIS: Final = "0" * 64

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
    """What the transactions `first_xid` to just before `until_xid` wrote, ordered by (xid, number).

    `previous` is the `seal_hash` of the seal before it, `root` hexadecimal. `numbers` and `leaves`
    are empty where only the head was read. A count of 0 moves the range on.
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


def following(
    previous: str | None,
    records: Iterable[Record],
    until_xid: int,
    *,
    sealed_at: datetime,
    key_id: str,
) -> Seal:
    """The seal after the one with the text `previous`, over all records before `until_xid`.

    `previous` None begins the chain; the range begins where that of the seal before ended, or at 0.
    """
    before = parse(head(previous)) if previous else None
    pairs = [(record.number, leaf(record)) for record in records]
    numbers, leaves = tuple(n for n, _ in pairs), tuple(hashed for _, hashed in pairs)
    return Seal(
        number=before.number + 1 if before else 1,
        previous=seal_hash(previous) if previous else GENESIS,
        first_xid=before.until_xid if before else 0,
        until_xid=until_xid,
        count=len(pairs),
        first_number=min(numbers, default=None),
        last_number=max(numbers, default=None),
        root=merkle.root(leaves).hex(),
        sealed_at=sealed_at,
        key_id=key_id,
        numbers=numbers,
        leaves=leaves,
    )


def text(seal: Seal) -> str:
    """Both lines of a whole seal; the same seal always has the same text."""
    body = bodies.text(seal.numbers, seal.leaves)
    members = {name: getattr(seal, name) for name in _MEMBERS}
    at = seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
    members |= {"body": _sha256(body), "format": FORMAT, "sealed_at": at}
    return f"{canonical_json.dumps(members)}\n{body}"


def head(text: str) -> str:
    """The first line: what is signed, hashed, and given with a part of the seal."""
    return text.partition("\n")[0]


def parse(text: str) -> Seal:
    """The seal of a text, or of a head alone; raises `Broken` where it is damaged.

    That root and body agree is not looked at here, but by whoever verifies.
    """
    if not text.isascii():
        raise Broken("A seal is written in ASCII.")
    first, _, body = text.partition("\n")
    members = bodies.members(first)
    if members.get("format") != FORMAT:
        raise Broken(f"The seal is not of the format {FORMAT}.")
    if body and _sha256(body) != members.get("body"):
        raise Broken("The second line of the seal is not the one that was signed.")
    numbers, leaves = bodies.parse(body) if body else ((), ())
    known = {name: bodies.member(members, name, *kinds) for name, kinds in _MEMBERS.items()}
    at = bodies.instant(members, "sealed_at")
    return Seal(**known, sealed_at=at, numbers=numbers, leaves=leaves)


def seal_hash(text: str) -> str:
    """The SHA-256 of the head in hexadecimal, by which the next seal names this one."""
    return _sha256(head(text))


def sign(private_key: Ed25519PrivateKey, text: str) -> str:
    """The signature of the seal in base64: over its head, which holds for the body too."""
    return keys.sign(private_key, head(text))


def verify_signature(public_keys: keys.Keys, text: str, signature: str) -> None:
    """Raises `keys.UnknownKey` or `keys.BadSignature`, or `Broken` for what is no seal."""
    first = head(text)
    keys.verify(public_keys, parse(first).key_id, first, signature)


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
