"""Fields of JSON bodies; unlike marshmallow's own they convert nothing: 1 is not true."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from marshmallow import ValidationError, fields

from registry.api.requests.fault_limits import MOST_CHARACTERS
from registry.api.requests.json_body import Fault, rules
from registry.domain.errors import IssueKind
from registry.domain.identifiers import EnterpriseNumber, Malformed, Ssin
from registry.domain.languages import LANGUAGES
from registry.domain.personal_data import mask_personal_numbers

_LANGUAGE: Final = re.compile("[a-z]{2}")  # ISO 639-1
# The Belgian REST guide's pattern `[dec-type]`.
_DECIMAL: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", re.ASCII)
# `fromisoformat` takes more than RFC 3339: week dates, no seconds, no offset.
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


class Items(fields.List[Any]):
    """A member that is an array of `least` to `most` items, and of `most_bytes` of JSON.

    The greatest numbers may be named after a rule.
    """

    def __init__(
        self,
        item: Any,
        *,
        least: int = 0,
        most: int | str | None = None,
        most_bytes: int | str | None = None,
        **more: Any,
    ):
        super().__init__(item, **more)
        self.least, self.most, self.most_bytes = least, most, most_bytes

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> list[Any]:
        most = _find_limit(self.most)
        # Looked at first, or the faults of a million items would be found for nothing.
        if isinstance(value, list) and most is not None and len(value) > most:
            raise ValidationError(f"has more than {most} items")
        if isinstance(value, list) and len(value) < self.least:
            raise ValidationError(f"has less than {self.least} items")
        _check_size(value, _find_limit(self.most_bytes))
        return super()._deserialize(value, *rest, **more)


class SmallObject(fields.Dict):
    """An object of the sender's own, of at most `most_bytes` of JSON."""

    def __init__(self, *, most_bytes: int, **more: Any):
        super().__init__(**more)
        self.most_bytes = most_bytes

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        _check_size(value, self.most_bytes)
        return super()._deserialize(value, *rest, **more)  # type: ignore[no-untyped-call]


class StrictBoolean(fields.Boolean):
    """A member that is true or false; 1, "true" and the like are refused."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("is neither true nor false")
        return value


class Text(fields.String):
    """A member that is a text of at least one character; `most` may be named after a rule."""

    def __init__(self, *, most: int | str | None = None, **more: Any):
        super().__init__(**more)
        self.most = most

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        text = super()._deserialize(value, *rest, **more)
        fault = _find_length_fault(text, _find_limit(self.most))
        if fault:
            raise ValidationError(fault)
        return text


class Texts(fields.Field[dict[str, str]]):
    """A text in nl, fr, de, or several of them; `most` characters in each.

    A fourth language, such as en, is ignored (contract 6.32).
    """

    def __init__(self, *, most: int | str | None = None, **more: Any):
        super().__init__(**more)
        self.most = most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValidationError("is not an object")
        texts = {
            language: text
            for language, text in value.items()
            if language in LANGUAGES or not _LANGUAGE.fullmatch(language)
        }
        if not texts:
            raise ValidationError(f"has no text in {', '.join(LANGUAGES)}")
        most = _find_limit(self.most)
        faults = {
            language: _find_text_fault(language, text, most) for language, text in texts.items()
        }
        wrong = {language: [fault] for language, fault in faults.items() if fault}
        if wrong:
            raise ValidationError(wrong)
        return texts


class Moment(fields.Field[datetime]):
    """A date-time of RFC 3339, with its offset `[dat-time]`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        # RFC 3339 allows t and z (section 5.6).
        text = value.upper() if isinstance(value, str) else ""
        try:
            if _MOMENT.fullmatch(text):
                return datetime.fromisoformat(text)
        except ValueError:
            pass
        raise ValidationError("is not a date-time with an offset, such as 2026-11-20T12:00:00Z")


class DecimalNumber(fields.Field[str]):
    """A number, or a decimal text; it becomes the text that the store keeps (contract 6.12)."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("is not a decimal number")
        # Through `repr`, as the exact value of 0.1 has 55 digits; "f" writes no exponents.
        return format(Decimal(repr(value)), "f")


class Company(Text):
    """An enterprise number; one that fails its check digits is no valid company (contract 5)."""

    def __init__(self, *, check_digits: bool = True, **more: Any):
        super().__init__(**more)
        self.check_digits = check_digits

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        text = super()._deserialize(value, *rest, **more)
        check_digits = self.check_digits and rules().check_digits
        try:
            return EnterpriseNumber.parse(text, check_digits=check_digits)
        except Malformed:
            # One text for all faults: it is what senders know (contract 5, 6.31).
            number = mask_personal_numbers(text[:MOST_CHARACTERS])
            raise ValidationError(
                Fault(f"{number} is not a valid company", IssueKind.INVALID_INPUT, whole=True)
            ) from None


class Person(Text):
    """An SSIN; a fault does not repeat it."""

    def __init__(self, *, check_digits: bool = True, **more: Any):
        super().__init__(**more)
        self.check_digits = check_digits

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        text = super()._deserialize(value, *rest, **more)
        try:
            number = Ssin.parse(text, check_digits=False)
        except Malformed:
            raise ValidationError(Fault("is not eleven digits", secret=True)) from None
        try:
            return Ssin.parse(text) if self.check_digits and rules().check_digits else number
        except Malformed:
            fault = Fault("is not a valid SSIN", IssueKind.INVALID_INPUT, secret=True)
            raise ValidationError(fault) from None


def _check_size(value: Any, most_bytes: int | None) -> None:
    if most_bytes is not None and len(orjson.dumps(value)) > most_bytes:
        raise ValidationError(f"takes more than {most_bytes} bytes of JSON")


def _find_limit(most: int | str | None) -> int | None:
    """Find the limit itself, where `most` is the name of a rule."""
    return int(getattr(rules(), most)) if isinstance(most, str) else most


def _find_text_fault(language: str, text: Any, most: int | None) -> str | None:
    if language not in LANGUAGES:
        return Fault("is unknown", IssueKind.UNKNOWN_INPUT)
    if not isinstance(text, str):
        return "is not a text"
    return _find_length_fault(text, most)


def _find_length_fault(text: str, most: int | None) -> str | None:
    if not text:
        return "is empty"
    if most is not None and len(text) > most:
        return f"is longer than {most} characters"
    return None
