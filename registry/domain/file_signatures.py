"""File signatures: a file shows if it is what its media type says.

One line per media type of contract 4.8. The check looks where the format says: the first KiB of a
PDF, the central directory of a zip, the streams of a compound file. A wrong refusal keeps a legal
letter from its reader and counts more than a wrong acceptance: where producers differ, or what
would tell cannot be seen, we let pass. A different binary, an executable or an installer is
refused; what hides further inside is for the malware scan.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from registry.domain.attachments import MEDIA_TYPES
from registry.domain.zip_directory import ZipDirectory, read_directory, read_member

_HEAD_SIZE: Final = 64 * 1024  # bytes
_TAIL_SIZE: Final = 256 * 1024  # bytes; the directory of three thousand members
_FEW: Final = 3  # zeros that say nothing of a text without a mark
_PDF_WITHIN: Final = 1024  # bytes in which `%PDF-` begins (ISO 32000-1, annex H.3.4.1)

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK", b"PK00PK")  # the last: in pieces
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RTF: Final = rb"{\rtf"
_PROGRAMS: Final = (b"MZ", b"\x7fELF")
_POSTSCRIPT_PDF: Final = re.compile(rb"%!PS-Adobe-[0-9.]{1,8} PDF-[0-9.]{1,8}")  # PDF 1.7, annex H
_BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before the mark of UTF-16 that it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# As file(1) has it, and the end-of-file mark of DOS.
_IN_TEXT: Final = bytes([*range(7, 14), 0x1A, 0x1B, *range(0x20, 0x7F), *range(0x80, 0x100)])
_HTML: Final = re.compile(rb"<(?:[!?]|/?[A-Za-z])")
_XML: Final = re.compile(rb"<(?:[!?]|[A-Za-z_:\x80-\xff])")

_OFFICE_FOLDERS: Final = ("word/", "xl/", "ppt/", "visio/")
_PACKAGE: Final = ("[content_types].xml", "_rels/", "docprops/", "customxml/")  # ECMA-376, part 2
_OPEN_DOCUMENT: Final = ("content.xml", "meta-inf/manifest.xml", "mimetype")
_STREAMS: Final = {
    "word": ("WordDocument",),
    "excel": ("Workbook", "Book"),
    "powerpoint": ("PowerPoint Document",),
    "password": ("EncryptedPackage",),  # a package with a password (MS-OFFCRYPTO 2.3.4)
}
# Windows Installer packages, patches and transforms are compound files as well.
_INSTALLERS: Final = tuple(
    UUID(f"000c108{digit}-0000-0000-c000-000000000046").bytes_le for digit in (2, 4, 6)
)


@dataclass(frozen=True, slots=True)
class FileEnds:
    """Beginning and end of a file; each is all of a short one."""

    head: bytes
    tail: bytes

    def read_zip(self) -> ZipDirectory:
        """Read the directory of an archive."""
        return read_directory(self.head, self.tail)


class Sniffer:
    """Beginning and end of a file that passes by, to be compared with its media type."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()

    @property
    def has_head(self) -> bool:
        """Tell if all has passed that `may_agree` looks at."""
        return len(self._head) == _HEAD_SIZE

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file; of all, only 64 KiB and the last 256 KiB are kept."""
        if not self.has_head:
            self._head += chunk[: _HEAD_SIZE - len(self._head)]
        self._tail += chunk[-_TAIL_SIZE:]
        if len(self._tail) > 2 * _TAIL_SIZE:  # seldom: to cut costs a copy
            del self._tail[:-_TAIL_SIZE]

    def may_agree(self, media_type: str) -> bool:
        """Tell if a file that begins like this may be of this media type, whatever follows."""
        head = bytes(self._head)
        if head.startswith((*_ZIP, _OLE2)):  # their directories may come last
            return media_type in _PACKED
        return self._fits(media_type, FileEnds(head, head))

    def agrees(self, media_type: str) -> bool:
        """Tell if the whole file fits this media type; false for one we do not know."""
        tail = bytes(self._tail[-_TAIL_SIZE:])
        return self._fits(media_type, FileEnds(bytes(self._head), tail))

    def _fits(self, media_type: str, file: FileEnds) -> bool:
        fits = _FITS.get(media_type)
        return fits is not None and fits(file)


def _is_pdf(file: FileEnds) -> bool:
    if file.head.startswith((*_PROGRAMS, _OLE2, *_ZIP)):
        return False
    place = file.head.find(b"%PDF-", 0, _PDF_WITHIN + 4)
    return place >= 0 or _POSTSCRIPT_PDF.match(file.head) is not None


def _is_zip(file: FileEnds) -> bool:
    return file.head.startswith(_ZIP)


def _is_open_document(media_type: str, file: FileEnds) -> bool:
    """Tell if this is a package of this media type (ODF 1.3, part 2, 3.3).

    Its member `mimetype` says so. It *should* come first and not be compressed; programs that sign
    or zip again put it elsewhere, and some leave it out.
    """
    if not _is_zip(file):
        return False
    directory = file.read_zip()
    for member in directory.members:
        if member.name.lower() == "mimetype":
            content = read_member(file.head, member)
            if content is not None:
                return content.strip() == media_type.encode()
    names = {name.lower() for name in directory.names}
    if any(name.startswith(_OFFICE_FOLDERS) for name in names):
        return False
    return not directory.is_complete or any(name in _OPEN_DOCUMENT for name in names)


def _is_office(folder: str, file: FileEnds) -> bool:
    """Tell if this is a package with its main part in `folder`, or one with a password."""
    if file.head.startswith(_OLE2):
        return _find_programs(file) <= {"password"} and not _is_installer(file.head)
    if not _is_zip(file):
        return False
    directory = file.read_zip()
    names = {name.lower() for name in directory.names}
    folders = {one for one in _OFFICE_FOLDERS if any(name.startswith(one) for name in names)}
    if folders and folder not in folders:
        return False
    # Macros have media types of their own, none of them ours.
    if any(name.endswith("vbaproject.bin") for name in names):
        return False
    is_package = any(name.startswith((folder, *_PACKAGE)) for name in names)
    return is_package or not names


def _is_compound(program: str, file: FileEnds) -> bool:
    """Tell if this is a compound file (MS-CFB) of this program.

    Its directory may be anywhere in the file, so that not to see it must not count against it.
    """
    if not file.head.startswith(_OLE2):
        return program == "word" and file.head.startswith(_RTF)  # what others must be able to read
    programs = _find_programs(file) - {"password"}
    return not _is_installer(file.head) and (not programs or program in programs)


def _is_installer(head: bytes) -> bool:
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 16)
    root = (int.from_bytes(head[48:52], "little") + 1) * sector
    return head[root + 80 : root + 96] in _INSTALLERS


def _find_programs(file: FileEnds) -> set[str]:
    """Find the programs whose streams a compound file has, where its directory can be seen."""
    return {
        program
        for program, streams in _STREAMS.items()
        for entry in map(_make_entry, streams)
        if entry in file.head or entry in file.tail
    }


def _make_entry(stream: str) -> bytes:
    """Write a stream's name as a directory does: in UTF-16, its length in bytes at offset 64."""
    name = f"{stream}\0".encode("utf-16-le")
    return name.ljust(64, b"\0") + len(name).to_bytes(2, "little")


def _is_text(file: FileEnds) -> bool:
    plain = _read_plain(file.head)
    return plain is not None and not plain.startswith(b"%PDF-")


def _is_markup(begins: re.Pattern[bytes], file: FileEnds) -> bool:
    plain = _read_plain(file.head)
    return plain is not None and begins.match(plain.lstrip()) is not None


def _read_plain(head: bytes) -> bytes | None:
    """Read the text without byte order mark, of any width as UTF-8; None for what is no text."""
    mark, encoding = _find_encoding(head)
    if encoding:
        try:  # not final: the head may end in the middle of a character
            head = codecs.getincrementaldecoder(encoding)().decode(head[len(mark) :]).encode()
        except UnicodeDecodeError:
            return None
    head = head.removeprefix(codecs.BOM_UTF8)
    return None if head.translate(None, _IN_TEXT) else head


def _find_encoding(head: bytes) -> tuple[bytes, str | None]:
    """Find the mark and the name of a wide encoding; no name where a character has one byte."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return mark, encoding
    # Without a mark, texts of Europe have a zero in nearly every second place, and nowhere else.
    even, odd = head[0::2], head[1::2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > max(_FEW, len(zeros) // 2) and not others.count(0):
            return b"", encoding
    return b"", None


_FITS: Final[Mapping[str, Callable[[FileEnds], bool]]] = {
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
_PACKED: Final = frozenset(
    media_type
    for media_type in MEDIA_TYPES
    if media_type.startswith("application/") and media_type != "application/pdf"
)
