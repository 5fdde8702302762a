"""Texts of a message that a search looks at."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from registry.domain.languages import LANGUAGES, TranslatedString, fill_gaps, fold

# What names the reader inside the enterprise; the kind of his number names nobody.
_NAMES: Final = ("ssin", "id", "label")


def make_search_texts(
    subject: TranslatedString,
    business_data: Iterable[Mapping[str, Any]] | None,
    attention: Mapping[str, str] | None,
) -> dict[str, str]:
    """Fold the message's own texts for a search: one field a line, for each language.

    The fields of contract 4.3 but for those of reference data. A searched text holds no line
    break, so that it never matches from one field into the next.
    """
    translations = [fill_gaps(subject)]
    for data in business_data or ():
        translations.extend(fill_gaps(value) for value in data["values"])
    names = ((attention or {}).get(name) for name in _NAMES)
    plain = [fold(text) for text in names if text]
    return {
        language: "\n".join([*(fold(text[language]) for text in translations), *plain])
        for language in LANGUAGES
    }
