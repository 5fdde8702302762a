"""Names of files as their senders write them, made fit to be shown.

No name of a file in storage is ever made of them.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 255  # characters (contract 4.9)

_ESCAPED: Final = re.compile(r"(%[0-9A-Fa-f]{2})+", re.ASCII)
# Embeddings, overrides and isolates: they make "gpj.exe" read "exe.jpg".
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SEPARATORS: Final = frozenset("/\\")
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line breaks


def displayed(name: str) -> str:
    """The name as it is kept and shown: percent-decoded, then without what could mislead.

    Whatever is unfit becomes `_`, so that two names stay as different as they can. The result may
    still be longer than `LONGEST`, or empty.
    """
    shown = "".join("_" if _is_unfit(character) else character for character in decoded(name))
    shown = shown.strip()
    return "_" * len(shown) if set(shown) == {"."} else shown


def decoded(name: str) -> str:
    """The name without percent-encoding, where it is UTF-8 behind it; else as it came.

    Senders encode names outside ISO-8859-1 (contract 4.9), but a name may also hold a plain `%`.
    """
    if "%" in _ESCAPED.sub("", name):
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
