"""Texts in the national languages, and the folded form that search compares."""

import unicodedata
from collections.abc import Mapping
from typing import Final

TranslatedString = Mapping[str, str]

LANGUAGES: Final = ("nl", "fr", "de")

# What Unicode decomposition leaves whole, spelled as people type it on a plain keyboard.
_SPELLINGS: Final = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "\u0131": "i",
    }
)


def fill_gaps(text: TranslatedString) -> dict[str, str]:
    """Give the text in nl, fr and de, gaps filled from another language (contract 4.7)."""
    nl, fr, de = text.get("nl"), text.get("fr"), text.get("de")
    spare = nl or fr or de or text.get("en") or ""
    return {"nl": nl or spare, "fr": fr or spare, "de": de or spare}


def fold(text: str) -> str:
    """Take case, accents and ligatures off the text; controls become spaces.

    Folding is idempotent, so a folded query can be compared with folded text (contract 4.3).
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    folded_text = "".join(_fold_one(character) for character in plain)
    return unicodedata.normalize("NFKD", folded_text.translate(_SPELLINGS))


def _fold_one(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("M") or category == "Cf":  # a soft hyphen parts no word
        return ""
    return " " if category == "Cc" else character
