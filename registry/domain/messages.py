"""What counts as reading, what is about to expire, and what a search looks at."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from registry.domain.languages import LANGUAGES, TranslatedString, filled, fold

GENERAL: Final = "GENERAL"  # the partition that every enterprise e-Box has (contract 4.15)


def counts_as_reading(*, is_main: bool, is_own: bool) -> bool:
    """Whether showing this content makes the message read (contract 4.4).

    Only main content does, and only for whoever received it: a sender who looks at what he sent
    (contract 6.27) reads nothing on the recipient's behalf.
    """
    return is_main and is_own


def soon_expiring_until(now: datetime, days: int) -> datetime:
    """The instant before which an unread message's expiry is 'soon' (contract 6.9)."""
    return now + timedelta(days=days)


def searchable(
    subject: TranslatedString,
    business_data: Iterable[Mapping[str, Any]] | None,
    attention: Mapping[str, str] | None,
) -> dict[str, str]:
    """The message's own texts to be searched, folded, one field a line, for each language.

    The fields of contract 4.3 but for those of reference data. A searched text holds no line
    break, so that it never matches from one field into the next.
    """
    translated = [filled(subject)]
    for data in business_data or ():
        translated.extend(filled(value) for value in data["values"])
    plain = [fold(text) for text in (attention or {}).values()]
    return {
        language: "\n".join([*(fold(text[language]) for text in translated), *plain])
        for language in LANGUAGES
    }
