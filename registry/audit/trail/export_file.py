"""Exports of the audit trail: one file of JSON lines that carries its own proof.

The lines are a header; the seals, each followed by its entries; and the end, a signature over the
SHA-256 of all lines before it. A whole seal comes with all its entries; a part of a seal has its
head alone and some of its entries, each with the path that proves it (RFC 6962, 2.1.1).
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.audit.trail import canonical_json, keys, merkle
from registry.audit.trail import seal as seals
from registry.audit.trail.chain import Copy
from registry.audit.trail.records import Record

FORMAT: Final = "ebox-audit-bundle/1"


class NotSealed(ValueError):
    """The seal does not have an entry with this number, so that nothing can prove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an export says of itself; instants are aware, the period is without its end.

    `about` is the pseudonym whose entries were asked for, None for everybody's.
    """

    begin: datetime
    end: datetime
    made_at: datetime
    public_keys: tuple[Ed25519PublicKey, ...]  # all that have signed what is inside
    about: str | None = None


def header(said: Header) -> str:
    """The first line."""
    members = {
        "format": FORMAT,
        "from": said.begin.isoformat(),
        "until": said.end.isoformat(),
        "made_at": said.made_at.isoformat(),
        "about": said.about,
        "keys": [base64.b64encode(key.public_bytes_raw()).decode() for key in said.public_keys],
    }
    return canonical_json.dumps(members)


def whole(copy: Copy, records: Iterable[Record]) -> Iterator[str]:
    """The lines of a seal and all its entries, by (xid, number)."""
    yield _seal(copy.number, copy.text, copy.signature)
    for record in records:
        yield canonical_json.dumps({"record": record})


def part(copy: Copy, records: Iterable[Record]) -> Iterator[str]:
    """The lines of some entries of a seal, of which `copy` has the whole text.

    The entries come by (xid, number), as those of a whole seal. Raises `NotSealed`.
    """
    yield _seal(copy.number, seals.head(copy.text), copy.signature)
    seal, chosen = seals.parse(copy.text), list(records)
    places = {number: index for index, number in enumerate(seal.numbers)}
    for record in chosen:
        if record.number not in places:
            raise NotSealed(f"Seal {seal.number} has no entry {record.number}.")
    indexes = [places[record.number] for record in chosen]
    proofs = merkle.paths(seal.leaves, indexes)
    for record, index, proof in zip(chosen, indexes, proofs, strict=True):
        path = base64.b64encode(b"".join(proof)).decode()
        yield canonical_json.dumps({"record": record, "index": index, "path": path})


def signed(lines: Iterable[str], private_key: Ed25519PrivateKey) -> Iterator[bytes]:
    """The lines as they are written to the file, and the end that signs them."""
    hashed, count = hashlib.sha256(), 0
    for line in lines:
        written = f"{line}\n".encode()
        hashed.update(written)
        count += 1
        yield written
    signer = keys.key_id(private_key.public_key())
    signature = keys.sign(private_key, statement(count, hashed.hexdigest()))
    yield f"{canonical_json.dumps({'end': signer, 'signature': signature})}\n".encode()


def statement(lines: int, sha256: str) -> str:
    """What the end signs: how many lines there are before it, and their SHA-256."""
    return canonical_json.dumps({"format": f"{FORMAT} end", "lines": lines, "sha256": sha256})


def _seal(number: int, text: str, signature: str) -> str:
    return canonical_json.dumps({"seal": number, "text": text, "signature": signature})
