"""The central directory of a zip archive, which says what is in it (APPNOTE 4.3.12 and 4.3.16).

It stands at the end; the local headers before each member are only copies, which may lack names and
sizes. Of an archive whose end does not fit, or was cut off, the local headers have to do.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

_MOST_MEMBERS: Final = 4096  # looked at
_LONGEST: Final = 4096  # bytes of a member that are unpacked
_END: Final = b"PK\x05\x06"
_ENTRY: Final = b"PK\x01\x02"
_LOCAL: Final = b"PK\x03\x04"
_STORED: Final = 0
_DEFLATED: Final = 8
# Name, at offset 26 the length of the name, at 28 that of the extra field (APPNOTE 4.3.7).
_LOCAL_HEADER: Final = re.compile(rb"PK\x03\x04.{22}(..)(..)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member by its name, with `/` between folders; `offset` is that of its local header."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class ZipDirectory:
    """Members as far as they can be seen; `is_complete` when none can be missing."""

    members: tuple[ZipMember, ...]
    is_complete: bool

    @property
    def names(self) -> frozenset[str]:
        """Names of the members."""
        return frozenset(member.name for member in self.members)


def read_directory(head: bytes, tail: bytes) -> ZipDirectory:
    """Read the directory of an archive of which the beginning and the end are here.

    Each is all of a short file. Anything odd makes the directory incomplete.
    """
    end = tail.rfind(_END)
    if end >= 0 and len(tail) >= end + 22:
        count = int.from_bytes(tail[end + 10 : end + 12], "little")
        length = int.from_bytes(tail[end + 12 : end + 16], "little")
        # Before the end record; an archive of more than 4 GiB has more records in between.
        start = max(0, end - length) if length < 0xFFFFFFFF else tail.find(_ENTRY)
        members = tuple(islice(_read_entries(tail, max(start, 0)), _MOST_MEMBERS))
        if members or (count == 0 and length == 0):
            return ZipDirectory(members, is_complete=len(members) == count)
    return ZipDirectory(tuple(_find_local_headers(head)), is_complete=False)


def read_member(head: bytes, member: ZipMember) -> bytes | None:
    """Read the beginning of a member; None where the head of the file does not have it."""
    match = _LOCAL_HEADER.match(head, member.offset)
    if match is None:
        return None
    name, extra = (int.from_bytes(length, "little") for length in match.groups())
    method = int.from_bytes(head[member.offset + 8 : member.offset + 10], "little")
    start = match.end() + name + extra
    if method == _STORED:
        return head[start : start + _LONGEST].partition(b"PK")[0]
    if method != _DEFLATED:
        return None
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[start:], _LONGEST)
    except zlib.error:
        return None


def _read_entries(tail: bytes, start: int) -> Iterator[ZipMember]:
    place = tail.find(_ENTRY, start)
    while 0 <= place <= len(tail) - 46:
        name, extra, comment = (
            int.from_bytes(tail[place + at : place + at + 2], "little") for at in (28, 30, 32)
        )
        offset = int.from_bytes(tail[place + 42 : place + 46], "little")
        text = tail[place + 46 : place + 46 + name]
        yield ZipMember(_write_name(text), offset)
        place += 46 + name + extra + comment
        if tail[place : place + 4] != _ENTRY:
            return


def _find_local_headers(head: bytes) -> Iterator[ZipMember]:
    """Find members by search: where one ends may stand after its data."""
    for match in islice(_LOCAL_HEADER.finditer(head), _MOST_MEMBERS):
        length = int.from_bytes(match[1], "little")
        yield ZipMember(_write_name(head[match.end() :][:length]), match.start())


def _write_name(name: bytes) -> str:
    # Real programs write backslashes, and a slash at the beginning; readers forgive both.
    return name.decode(errors="replace").replace("\\", "/").removeprefix("/")
