"""Fields of our own: how the wire writes what our domain holds."""

import re
import sys
from datetime import date
from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_dump, validate

from registry.api.context import base_url
from registry.domain.languages import LANGUAGES, fill_gaps

INT32: Final = 2**31 - 1


class Shown(Schema):
    """Something shown: a member without a value is left out `[jsn-null]`."""

    @post_dump
    def without_nulls(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The members that have a value."""
        return {name: value for name, value in data.items() if value is not None}


class KeptAsJson(Shown):
    """Something shown that the store keeps as a JSON object, and not as columns."""


class Whole(fields.Integer):
    """A whole number written in ASCII digits; Python's `int` would take any script's."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", str(value), re.ASCII):
            raise ValidationError("is not a whole number")
        return int(value)


class Flag(fields.Boolean):
    """`true` or `false`, and no other spelling."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if value not in ("true", "false"):
            raise ValidationError("is neither true nor false")
        return bool(value == "true")


class Day(fields.Date):
    """A date as RFC 3339 writes it, yyyy-MM-dd."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> date:
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValidationError("is not a date, yyyy-MM-dd")


class Identifier(fields.UUID):
    """A UUID as the guide writes it, in lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> UUID:
        text = str(value)  # in a body it may be anything
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text, re.ASCII):
            raise ValidationError("is not a UUID in lower case")
        return UUID(text)


class Instant(fields.DateTime):
    """A date-time with its offset, to the second (contract 2.2)."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.isoformat(timespec="seconds")


class Translated(fields.Dict):
    """A text in nl, fr and de, gaps filled (contract 4.7)."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return None if value is None else fill_gaps(value)


class Named(Translated):
    """A name that may be missing: then that of the object's member `other`, in every language."""

    def __init__(self, other: str, **more: Any) -> None:
        super().__init__(**more)
        self.other = other

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """The value that marshmallow goes on with."""
        return obj.get(attr) or dict.fromkeys(LANGUAGES, obj.get(self.other))


class Otherwise(fields.String):
    """A text that may be missing: then that of the object's member `other`, if there is one."""

    def __init__(self, other: str, **more: Any) -> None:
        super().__init__(**more)
        self.other = other

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """The value that marshmallow goes on with."""
        return obj.get(attr) or obj.get(self.other)


class OrFalse(fields.Boolean):
    """Whether something is so; what has no value is not."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> bool:
        return bool(value)


class Amount(fields.Float):
    """A number, of a value that is a decimal text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> float | None:
        return None if value is None else amount(value)


class Kilobytes(fields.Float):
    """A size in kB, of a value in bytes."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> float | None:
        return None if value is None else value / 1000


class Happened(fields.Boolean):
    """Whether the object's attribute `instant` says when it happened."""

    def __init__(self, instant: str, **more: Any) -> None:
        super().__init__(**more)
        self.instant = instant

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **_: Any) -> bool:
        """Whether it happened to `obj`."""
        return getattr(obj, self.instant) is not None


class Href(fields.Url):
    """An absolute URL below the base path, made of the object's own attributes."""

    def __init__(self, template: str, **more: Any) -> None:
        super().__init__(dump_only=True, **more)
        self.template = template

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **_: Any) -> str:
        """The URL of `obj`."""
        return base_url() + self.template.format(obj)


class Within(fields.Nested):
    """An object on the wire whose members are attributes of the surrounding object itself.

    Left out when the surrounding object's attribute `unless_none` is None.
    """

    def __init__(self, nested: Any, *, unless_none: str | None = None, **more: Any) -> None:
        super().__init__(nested, **more)
        self.unless_none = unless_none

    def surrounding(self, obj: Any) -> Any:
        """The object itself, or None when it is to be left out."""
        if self.unless_none is not None and getattr(obj, self.unless_none) is None:
            return None
        return obj

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """The value that marshmallow goes on with."""
        return self.surrounding(obj)


class Listing(fields.Field[Any]):
    """`{items, totalItems}` around a complete list (contract 6.3)."""

    def __init__(self, item: type[Schema], **more: Any) -> None:
        super().__init__(**more)
        self.item = item

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        if value is None:
            return None
        items = self.item().dump(value, many=True)
        return {"items": items, "totalItems": len(items)}


def amount(text: str) -> float:
    """The number that is nearest to a decimal text, of those that JSON can write."""
    return max(-sys.float_info.max, min(float(text), sys.float_info.max))


def one_of(*choices: str) -> validate.OneOf:
    """A validator for a closed set of words."""
    return validate.OneOf(choices, error=f"is none of {', '.join(choices)}")


def between(least: int, most: int) -> validate.Range:
    """A validator for a range of numbers, both ends included."""
    return validate.Range(least, most, error=f"must be between {least} and {most}")


def matching(pattern: str, error: str) -> Any:
    """A validator for the whole of an ASCII text."""
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> None:
        if not compiled.fullmatch(text):
            raise ValidationError(error)

    return check
