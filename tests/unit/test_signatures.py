"""A file is what its media type says, by how it begins."""

import io
import zipfile
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.attachments import MEDIA_TYPES
from registry.domain.file_signatures import Sniffer

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"


NOBODY = UUID(int=0)


def an_archive(*names, stored=b"", mimetype=b"", how=zipfile.ZIP_STORED):
    """A zip; `stored` is the content of its first member, `mimetype` is added as the last one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for position, name in enumerate(names):
            packing = zipfile.ZIP_DEFLATED if position or not stored else zipfile.ZIP_STORED
            archive.writestr(name, b"<x/>" if position else stored or b"<x/>", packing)
        if mimetype:
            archive.writestr("mimetype", mimetype, how)
    return packed.getvalue()


def a_compound_file(*streams, owner=NOBODY):
    """The first sectors of a compound file: header, allocation table, directory."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[30:32] = (9).to_bytes(2, "little")
    header[48:52] = (1).to_bytes(4, "little")
    directory = b"".join(an_entry(name, owner) for name in ("Root Entry", *streams))
    return bytes(header) + bytes(512) + directory + bytes(512)


def an_entry(stream, owner):
    name = f"{stream}\0".encode("utf-16-le")
    entry = name.ljust(64, b"\0") + len(name).to_bytes(2, "little")
    return entry.ljust(80, b"\0") + owner.bytes_le + bytes(32)


def agrees(media_type, content):
    sniffer = Sniffer()
    sniffer.feed(content)
    return sniffer.agrees(media_type)


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
WORD = an_archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
EXCEL = an_archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
WRITER = an_archive("mimetype", "content.xml", stored=ODT.encode())
ODF_LAST = an_archive("content.xml", "META-INF/manifest.xml", mimetype=ODT.encode())
ODF_DEFLATED = an_archive("content.xml", mimetype=ODT.encode(), how=zipfile.ZIP_DEFLATED)
ODF_WITHOUT = an_archive("META-INF/manifest.xml", "content.xml")
OLD_WORD = a_compound_file("1Table", "WordDocument")
OLD_EXCEL = a_compound_file("Workbook")
OLD_SLIDES = a_compound_file("Current User", "PowerPoint Document")
RIGHT = {
    "application/pdf": [
        PDF,
        b"%!PS-Adobe-3.0 PDF-1.4\n%x\n",
        b" " * 1023 + PDF,
        b"\xef\xbb\xbf" + PDF,
        b"printed by x\r\n" + PDF,
    ],
    "application/zip": [an_archive("a.pdf"), an_archive(), WORD, WRITER],
    "text/csv": [b"a;b\r\n1;2\r\n", b"", "d\u00e9but;\u20ac\n".encode(), b"d\xe9but;1\x1a"],
    "text/plain": [
        b"Dear sir",
        "\ufeffl\u00e9gal".encode("utf-16-le"),
        "\ufeffx".encode("utf-16-be"),
        "zonder teken".encode("utf-16-le"),
        "sans marque".encode("utf-16-be"),
        "\ufeffwide".encode("utf-32-le"),
    ],
    "text/html": [b"<!DOCTYPE html>", b"\xef\xbb\xbf\r\n <html>", b"<!-- x --><p>", b"<P>Hello"],
    "text/xml": [
        b'<?xml version="1.0"?><a/>',
        b"\n<ns:a>",
        '\ufeff<?xml version="1.0"?>'.encode("utf-16-le"),
    ],
    ODT: [WRITER, ODF_LAST, ODF_DEFLATED, ODF_WITHOUT],
    ODS: [an_archive("mimetype", "content.xml", stored=ODS.encode())],
    "application/vnd.oasis.opendocument.presentation": [
        an_archive("mimetype", "x", stored=b"application/vnd.oasis.opendocument.presentation")
    ],
    "application/vnd.oasis.opendocument.graphics": [
        an_archive("mimetype", stored=b"application/vnd.oasis.opendocument.graphics")
    ],
    XLS: [OLD_EXCEL, a_compound_file("Book"), a_compound_file("Anything")],
    PPT: [OLD_SLIDES],
    DOC: [OLD_WORD, rb"{\rtf1\ansi", a_compound_file("ObjectPool", "Workbook", "WordDocument")],
    # LibreOffice writes the list of content types last, Word first.
    DOCX: [WORD, an_archive("_rels/.rels", "word/document.xml", "[Content_Types].xml")],
    XLSX: [
        EXCEL,
        an_archive("[Content_Types].xml", "docProps/app.xml"),
        an_archive("[Content_Types].xml", "xl\\workbook.xml", "_rels\\.rels"),
        an_archive("[content_types].xml", "XL/workbook.xml"),
        a_compound_file("EncryptionInfo", "EncryptedPackage"),
    ],
}
PROGRAMS = {
    "Windows": b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff",
    "Linux": b"\x7fELF\x02\x01\x01\0",
    "macOS": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
    "Java": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "installer": a_compound_file("x", owner=UUID("000c1084-0000-0000-c000-000000000046")),
    "a PDF inside a Windows program": b"MZ\x90\0" + PDF,
    "gzip": b"\x1f\x8b\x08\x08abcdef",
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
}


def test_there_is_a_right_example_of_every_media_type():
    assert set(RIGHT) == set(MEDIA_TYPES)


@pytest.mark.parametrize(
    ("media_type", "content"),
    [(media_type, content) for media_type, contents in RIGHT.items() for content in contents],
)
def test_what_producers_write_is_what_it_says(media_type, content):
    assert agrees(media_type, content)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_program_or_an_image_is_none_of_them(media_type, program):
    assert not agrees(media_type, PROGRAMS[program])


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("application/pdf", b""),
        ("application/pdf", b"Dear sir"),
        ("application/pdf", b" " * 1024 + PDF),
        ("application/zip", PDF),
        ("text/plain", PDF),
        ("text/csv", WORD),
        ("text/plain", b"a\0b"),
        ("text/plain", b"\xff\xfe\x00\xd8x\x00"),
        ("text/html", b"Hello"),
        ("text/html", b""),
        ("text/xml", b'{"a": 1}'),
        ("text/xml", b"<1>"),
        (ODT, an_archive("content.xml", "mimetype")),
        (ODT, an_archive("mimetypes", "contents.xml", stored=ODT.encode())),
        (ODT, RIGHT[ODS][0]),
        (ODT, an_archive("mimetype", "x", stored=ODT.encode() + b"-template")),
        (ODT, WORD),
        (DOCX, EXCEL),
        (DOCX, an_archive("a.pdf")),
        (DOCX, an_archive("META-INF/MANIFEST.MF", "a.class")),
        (DOCX, an_archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
        (DOCX, OLD_WORD),
        (XLSX, WORD),
        (DOC, OLD_EXCEL),
        (DOC, WORD),
        (XLS, OLD_WORD),
        (XLS, rb"{\rtf1"),
        (PPT, OLD_EXCEL),
        ("application/xml", b"<a/>"),
        ("application/octet-stream", PDF),
    ],
)
def test_what_is_something_else_is_refused(media_type, content):
    assert not agrees(media_type, content)


def test_an_archive_whose_sizes_follow_its_data_is_read_all_the_same():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.written = b""

        def writable(self):
            return True

        def write(self, data):
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("docProps/app.xml", "word/document.xml"):
            archive.writestr(name, b"<x/>")

    assert agrees(DOCX, pipe.written)
    assert not agrees(XLSX, pipe.written)


def test_it_makes_no_difference_how_the_bytes_are_cut():
    sniffer = Sniffer()
    for byte in WORD:
        sniffer.feed(bytes([byte]))

    assert sniffer.agrees(DOCX)


def test_only_beginning_and_end_are_kept():
    sniffer = Sniffer()
    sniffer.feed(b"a" * 65_535)
    assert not sniffer.has_head

    for _ in range(100):
        sniffer.feed(b"a" * 100_000)
    sniffer.feed(b"\0")

    assert sniffer.has_head
    assert sniffer.agrees("text/plain")
    assert len(sniffer._head) + len(sniffer._tail) < 1_000_000


@pytest.mark.parametrize("size", [0, 70_000, 600_000])
def test_an_archive_is_known_by_its_directory_however_long_it_is(size):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a first member that says nothing", bytes(size))
        archive.writestr("[Content_Types].xml", b"<x/>")
        archive.writestr("word/document.xml", b"<x/>")

    sniffer = Sniffer()
    for start in range(0, len(packed.getvalue()), 10_000):
        sniffer.feed(packed.getvalue()[start : start + 10_000])

    assert sniffer.may_agree(DOCX)
    assert sniffer.agrees(DOCX)
    assert not sniffer.agrees(XLSX)


def test_what_cannot_become_right_is_known_at_the_beginning():
    sniffer = Sniffer()
    sniffer.feed(b"MZ" + bytes(70_000))

    assert not any(map(sniffer.may_agree, MEDIA_TYPES))


def test_a_character_cut_in_two_by_the_end_of_what_is_kept_does_no_harm():
    assert agrees("text/plain", b"\xff\xfea\0\x3d\xd8")


@given(st.binary(max_size=300), st.sampled_from(MEDIA_TYPES))
def test_any_bytes_get_an_answer(content, media_type):
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"):
        assert agrees(media_type, start + content) in (True, False)
