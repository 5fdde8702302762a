"""Names of files as their senders write them, made fit to be shown.

No name of a file in storage is ever made of them.
"""

import re
import unicodedata
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 255  # characters (contract 4.9)

_PERCENT_ESCAPES: Final = re.compile(r"(%[0-9A-Fa-f]{2})+", re.ASCII)
# No question mark inside, so that there is but one way to take a text apart.
_ENCODED_WORD: Final = r"=\?[^?\s]{1,40}\?[bq]\?[^?\s]{0,75}\?="
_ENCODED_WORDS: Final = re.compile(
    rf"{_ENCODED_WORD}(?:\s?{_ENCODED_WORD})*", re.ASCII | re.IGNORECASE
)
_SEPARATORS: Final = frozenset("/\\")
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line breaks
# Of no width, or with none that is seen, though they are letters or symbols. What Unicode calls
# formats is invisible too, and partly turns the direction: "exe.\u202efdp" is shown as "exe.pdf".
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d\u180f")
# They choose among the shapes of the character before them, and are not seen themselves.
_VARIATIONS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_FORMATS: Final = "Cf"
_AT_THE_ENDS: Final = " ."  # Windows drops them at the end: "a.bat." is a.bat there

# Extensions that a file of each media type may have; the first is for those that have another.
_EXTENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "application/pdf": ("pdf",),
    "application/zip": ("zip",),
    "text/csv": ("csv", "tsv", "txt"),
    "text/html": ("html", "htm", "xhtml"),
    "text/plain": ("txt", "text", "log", "md", "asc", "csv"),
    "text/xml": ("xml", "xsd", "xsl", "xslt", "ubl"),
    "application/vnd.oasis.opendocument.text": ("odt", "ott", "odm"),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods", "ots"),
    "application/vnd.oasis.opendocument.presentation": ("odp", "otp"),
    "application/vnd.oasis.opendocument.graphics": ("odg", "otg"),
    "application/vnd.ms-excel": ("xls", "xlt", "xlw"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx", "xltx"),
    "application/vnd.ms-powerpoint": ("ppt", "pps", "pot"),
    "application/msword": ("doc", "dot"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx", "dotx"),
}


def make_display_name(name: str, media_type: str | None = None) -> str:
    """Make the name that is kept and shown, without what could mislead.

    What is invisible is left out; what is unfit otherwise becomes `_`, so that two names stay as
    different as they can. An extension that does not fit the media type is followed by one that
    does: `invoice.pdf.bat` of text/plain is shown as `invoice.pdf.bat.txt`. The result may still
    be longer than `LONGEST`, or empty.
    """
    display_name = "".join(
        "_" if _is_unfit(character) else character
        for character in name
        if not _is_invisible(character)
    )
    if set(display_name) == {"."}:
        return "_" * len(display_name)
    display_name = display_name.strip().rstrip(_AT_THE_ENDS)
    extensions = _EXTENSIONS.get(media_type or "", ())
    # As programs read it that write what looks like a full stop as one, as our ASCII name does.
    _, dot, extension = unicodedata.normalize("NFKC", display_name).rpartition(".")
    if not dot or not extensions or extension.lower() in extensions:
        return display_name
    suffix = f".{extensions[0]}"
    if len(display_name) <= LONGEST:  # as sent it is short enough, and so it stays
        display_name = display_name[: LONGEST - len(suffix)]
    return display_name + suffix


def decode_name(name: str) -> str:
    """Decode a name that is percent-encoded, or in encoded words; any other stays as it came.

    Senders encode names outside ISO-8859-1 (contract 4.9), but a name may also hold a plain `%`.
    Encoded words (RFC 2047) have no business here; mail libraries write them all the same.
    """
    if _ENCODED_WORDS.fullmatch(name):
        try:
            return str(make_header(decode_header(name)))
        except (HeaderParseError, LookupError, ValueError):
            return name
    if "%" in _PERCENT_ESCAPES.sub("", name):
        return name  # encodeURIComponent leaves no other % than its own
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name


def _is_unfit(character: str) -> bool:
    return character in _SEPARATORS or unicodedata.category(character) in _UNFIT


def _is_invisible(character: str) -> bool:
    return (
        character in _INVISIBLE
        or unicodedata.category(character) == _FORMATS
        or any(ord(character) in variations for variations in _VARIATIONS)
    )
