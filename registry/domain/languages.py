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
        # Word processors turn the marks of a keyboard into these.
        **dict.fromkeys("`\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u2039\u203a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212", "-"),
    }
)


def fill_gaps(text: TranslatedString) -> dict[str, str]:
    """Give the text in nl, fr and de, gaps filled from another language (contract 4.7)."""
    nl, fr, de = text.get("nl"), text.get("fr"), text.get("de")
    spare = nl or fr or de or text.get("en") or ""
    return {"nl": nl or spare, "fr": fr or spare, "de": de or spare}


def fold(text: str) -> str:
    """Take case, accents, ligatures and the typographer's marks off; controls become spaces.

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
