"""Names of files as their senders write them, made fit to be shown.

No name of a file in storage is ever made of them.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 255  # characters (contract 4.9)

_PERCENT_ESCAPES: Final = re.compile(r"(%[0-9A-Fa-f]{2})+", re.ASCII)
# Embeddings, overrides and isolates: they make "gpj.exe" read "exe.jpg".
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SEPARATORS: Final = frozenset("/\\")
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line breaks


def make_display_name(name: str) -> str:
    """Make the name that is kept and shown: percent-decoded, without what could mislead.

    Whatever is unfit becomes `_`, so that two names stay as different as they can. The result may
    still be longer than `LONGEST`, or empty.
    """
    display_name = "".join(
        "_" if _is_unfit(character) else character for character in decode_name(name)
    )
    display_name = display_name.strip()
    return "_" * len(display_name) if set(display_name) == {"."} else display_name


def decode_name(name: str) -> str:
    """Decode a percent-encoded name, where UTF-8 is behind it; any other stays as it came.

    Senders encode names outside ISO-8859-1 (contract 4.9), but a name may also hold a plain `%`.
    """
    if "%" in _PERCENT_ESCAPES.sub("", name):
        return name  # encodeURIComponent leaves no other % than its own
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name


def _is_unfit(character: str) -> bool:
    return (
        character in _SEPARATORS
        or character in _REORDERING
        or unicodedata.category(character) in _UNFIT
    )
