"""Terms by which entries are looked up: numbers that stand for what an entry names.

Two texts may have the same number, so that whoever looks something up compares the entries too. An
index is made of these numbers: they must be the same for ever.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final

from registry.audit.trail.entry import Record

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN: Final = re.compile(r'"subject_token_hashed":"([0-9a-f]{64})"')
_SIGN: Final = 2**32


def compute_term(text: str) -> int:
    """Compute the CRC-32 of a text as a signed integer of 32 bits, as PostgreSQL has them."""
    checksum = zlib.crc32(text.encode())
    return checksum - _SIGN if checksum >= _SIGN // 2 else checksum


def list_terms(record: Record) -> Iterator[int]:
    """List the terms of an entry: all UUIDs in its text, its token, and its e-Box's pseudonym."""
    text = record.text.lower()
    yield from map(compute_term, _list_uuids(text))
    if token := _TOKEN.search(text):
        yield compute_term(token[1])
    if record.ebox is not None:
        yield compute_term(record.ebox)


def _list_uuids(text: str) -> Iterator[str]:
    at = 0
    while match := _UUID.search(text, at):
        yield match[0]
        # Its last group could be the first of another one, in what a caller has made up.
        at = match.end() - 8
