"""File signatures: the beginning of a file shows if it is what its media type says.

One line per media type of contract 4.8. A wrong refusal keeps a legal letter from its reader, so
where producers differ we let pass: text in any encoding without control characters, a PDF after
some leading bytes, Office files whatever the order of their members, a `.doc` that is RTF inside.
What is a different binary, an executable or an installer is refused. Only the beginning is looked
at; what hides further on is for the malware scan.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Final
from uuid import UUID

from registry.domain.attachments import MEDIA_TYPES

# Bytes; enough for the names of an archive's first members, and a compound file's directory.
_HEAD_SIZE: Final = 64 * 1024
_PDF_WITHIN: Final = 1024  # bytes before `%PDF-` that readers forgive (ISO 32000-1, annex H.3.4.1)
_MEMBERS: Final = 4096  # members of an archive to look at

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")  # with members, and without
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF: Final = rb"{\rtf"
_WIDE: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# As file(1) has it, and the end-of-file mark of DOS.
_IN_TEXT: Final = bytes([*range(7, 14), 0x1A, 0x1B, *range(0x20, 0x7F), *range(0x80, 0x100)])
_HTML: Final = re.compile(rb"<(?:[!?]|/?[A-Za-z])")
_XML: Final = re.compile(rb"<(?:[!?]|[A-Za-z_:\x80-\xff])")

# Name, at offset 26 the length of the name, at 28 that of the extra field (APPNOTE 4.3.7).
_MEMBER: Final = re.compile(rb"PK\x03\x04.{22}(..)(..)", re.DOTALL)
_OFFICE_FOLDERS: Final = ("word/", "xl/", "ppt/", "visio/")
_PACKAGE: Final = ("[Content_Types].xml", "_rels/", "docProps/", "customXml/")  # ECMA-376, part 2
_STREAMS: Final = {
    "word": ("WordDocument",),
    "excel": ("Workbook", "Book"),
    "powerpoint": ("PowerPoint Document",),
}
# Windows Installer packages, patches and transforms are compound files as well.
_INSTALLERS: Final = tuple(
    UUID(f"000c108{digit}-0000-0000-c000-000000000046").bytes_le for digit in (2, 4, 6)
)


class Sniffer:
    """The beginning of a file that passes by, to be compared with its media type afterwards."""

    def __init__(self) -> None:
        self._head = bytearray()

    @property
    def is_full(self) -> bool:
        """Tell if enough has passed: more bytes will not change what `agrees` says."""
        return len(self._head) == _HEAD_SIZE

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file; only the first 64 KiB are kept."""
        if not self.is_full:
            self._head += chunk[: _HEAD_SIZE - len(self._head)]

    def agrees(self, media_type: str) -> bool:
        """Tell if the bytes so far fit this media type; false for one we do not know."""
        fits = _FITS.get(media_type)
        return fits is not None and fits(bytes(self._head))


def _is_pdf(head: bytes) -> bool:
    return b"%PDF-" in head[:_PDF_WITHIN] and not head.startswith((b"MZ", b"\x7fELF", _OLE2, *_ZIP))


def _is_zip(head: bytes) -> bool:
    return head.startswith(_ZIP)


def _is_open_document(media_type: str, head: bytes) -> bool:
    """Tell if the first member is mimetype and holds it, uncompressed (ODF 1.3, part 2, 3.3)."""
    member = _MEMBER.match(head)
    if not member:
        return False
    name, extra = (int.from_bytes(length, "little") for length in member.groups())
    start = member.end() + name + extra
    content = head[start:].partition(b"PK")[0]  # what follows is a member or a data descriptor
    return head[member.end() :][:name] == b"mimetype" and content.strip() == media_type.encode()


def _is_office(folder: str, head: bytes) -> bool:
    """Tell if this is a package with its main part in `folder`, by its first members."""
    names = _list_names(head) if head.startswith(_ZIP) else []
    folders = {one for one in _OFFICE_FOLDERS if any(name.startswith(one) for name in names)}
    return (
        any(name.startswith((folder, *_PACKAGE)) for name in names)
        and (not folders or folder in folders)
        # Macros have media types of their own, none of them ours.
        and not any(name.endswith("vbaProject.bin") for name in names)
    )


def _list_names(head: bytes) -> list[str]:
    """List names of an archive's members, by search: where one ends may stand after its data."""
    return [
        head[member.end() :][: int.from_bytes(member[1], "little")].decode(errors="replace")
        for member in islice(_MEMBER.finditer(head), _MEMBERS)
    ]


def _is_compound(program: str, head: bytes) -> bool:
    """Tell if this is a compound file (MS-CFB) of this program.

    Its directory may be anywhere in the file, so that not to see it must not count against it.
    """
    if not head.startswith(_OLE2):
        return program == "word" and head.startswith(_RTF)  # how Word saves what others must read
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    root = (int.from_bytes(head[48:52], "little") + 1) * sector
    if head[root + 80 : root + 96] in _INSTALLERS:
        return False
    programs = {
        one for one, streams in _STREAMS.items() if any(_make_entry(s) in head for s in streams)
    }
    return not programs or program in programs


def _make_entry(stream: str) -> bytes:
    """Write a stream's name as a directory does: in UTF-16, its length in bytes at offset 64."""
    name = f"{stream}\0".encode("utf-16-le")
    return name.ljust(64, b"\0") + len(name).to_bytes(2, "little")


def _is_text(head: bytes) -> bool:
    plain = _read_plain(head)
    return plain is not None and not plain.startswith(b"%PDF-")


def _is_markup(begins: re.Pattern[bytes], head: bytes) -> bool:
    plain = _read_plain(head)
    return plain is not None and begins.match(plain.lstrip()) is not None


def _read_plain(head: bytes) -> bytes | None:
    """Read the text without byte order mark, UTF-16 as UTF-8; None for what is no text."""
    encoding = _WIDE.get(head[:2])
    if encoding:
        try:  # not final: the head may end in the middle of a character
            head = codecs.getincrementaldecoder(encoding)().decode(head[2:]).encode()
        except UnicodeDecodeError:
            return None
    head = head.removeprefix(codecs.BOM_UTF8)
    return None if head.translate(None, _IN_TEXT) else head


_FITS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "application/pdf": _is_pdf,
    "application/zip": _is_zip,
    "text/csv": _is_text,
    "text/plain": _is_text,
    "text/html": partial(_is_markup, _HTML),
    "text/xml": partial(_is_markup, _XML),
    "application/msword": partial(_is_compound, "word"),
    "application/vnd.ms-excel": partial(_is_compound, "excel"),
    "application/vnd.ms-powerpoint": partial(_is_compound, "powerpoint"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": partial(
        _is_office, "word/"
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": partial(_is_office, "xl/"),
    **{
        media_type: partial(_is_open_document, media_type)
        for media_type in MEDIA_TYPES
        if media_type.startswith("application/vnd.oasis.opendocument.")
    },
}
