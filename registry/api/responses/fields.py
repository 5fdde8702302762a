"""Fields of our own: how the wire writes what our domain holds."""

import sys
from typing import Any

import orjson
from marshmallow import Schema, fields, post_dump

from registry.api.place import base_url
from registry.domain.languages import LANGUAGES, fill_gaps


class AnswerSchema(Schema):
    """An object of an answer: a member without a value is left out `[jsn-null]`."""

    @post_dump
    def drop_nulls(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Drop the members that have no value."""
        return {name: value for name, value in data.items() if value is not None}


class JsonColumnSchema(AnswerSchema):
    """An object of an answer that the store keeps as a JSON object, and not as columns."""


class Instant(fields.DateTime):
    """A date-time with its offset, to the second (contract 2.2)."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.isoformat(timespec="seconds")


class TranslatedText(fields.Dict):
    """A text in nl, fr and de, gaps filled (contract 4.7)."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return None if value is None else fill_gaps(value)


class NameWithFallback(TranslatedText):
    """A translated name; where it is missing, the object's member `other` in every language."""

    def __init__(self, other: str, **more: Any) -> None:
        super().__init__(**more)
        self.other = other

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Give the value that marshmallow goes on with."""
        return obj.get(attr) or dict.fromkeys(LANGUAGES, obj.get(self.other))


class TextWithFallback(fields.String):
    """A text; where it is missing, the object's member `other`, if there is one."""

    def __init__(self, other: str, **more: Any) -> None:
        super().__init__(**more)
        self.other = other

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Give the value that marshmallow goes on with."""
        return obj.get(attr) or obj.get(self.other)


class BooleanOrFalse(fields.Boolean):
    """A boolean; a missing value is false."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> bool:
        return bool(value)


class Amount(fields.Float):
    """A number, of a value that is a decimal text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> float | None:
        return None if value is None else parse_amount(value)


class Kilobytes(fields.Float):
    """A size in kB of 1,024 bytes (contract 6.41), of a value in bytes."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> float | None:
        return None if value is None else value / 1024


class HasInstant(fields.Boolean):
    """A boolean: true when the object's attribute `instant` is set."""

    def __init__(self, instant: str, **more: Any) -> None:
        super().__init__(**more)
        self.instant = instant

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **_: Any) -> bool:
        """Tell if `obj` has the instant."""
        return getattr(obj, self.instant) is not None


class Href(fields.Url):
    """An absolute URL below the base path, made of the object's own attributes."""

    def __init__(self, template: str, **more: Any) -> None:
        super().__init__(dump_only=True, **more)
        self.template = template

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **_: Any) -> str:
        """Make the URL of `obj`."""
        return base_url() + self.template.format(obj)


class InlineObject(fields.Nested):
    """An object on the wire whose members are attributes of the surrounding object itself.

    Left out when the surrounding object's attribute `unless_none` is None.
    """

    def __init__(self, schema: Any, *, unless_none: str | None = None, **more: Any) -> None:
        super().__init__(schema, **more)
        self.unless_none = unless_none

    def find_members_of(self, obj: Any) -> Any:
        """Find the object that has the members: `obj` itself, None when it is to be left out."""
        if self.unless_none is not None and getattr(obj, self.unless_none) is None:
            return None
        return obj

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Give the value that marshmallow goes on with."""
        return self.find_members_of(obj)


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


class JsonListing(Listing):
    """A `Listing` of a list that is still JSON text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> Any:
        items = None if value is None else orjson.loads(value)
        return super()._serialize(items, attr, obj, **more)


def parse_amount(text: str) -> float:
    """Find the number that is nearest to a decimal text, of those that JSON can write."""
    return max(-sys.float_info.max, min(float(text), sys.float_info.max))
