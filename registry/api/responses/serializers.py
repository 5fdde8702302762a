"""Marshmallow schemas compiled into functions that show an object as JSON members.

`dump` takes ten times as long, and pages of messages are what the portal asks for all day. A test
holds every compiled dumper against `dump` itself.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import orjson
from marshmallow import Schema, fields

from registry.api.responses.fields import (
    Amount,
    BooleanOrFalse,
    HasInstant,
    Href,
    InlineObject,
    JsonColumnSchema,
    JsonListing,
    Kilobytes,
    Listing,
    NameWithFallback,
    TextWithFallback,
    TranslatedText,
    parse_amount,
)
from registry.domain.languages import LANGUAGES, fill_gaps

Dumper = Callable[[Any, str], dict[str, Any]]
_Names = dict[str, Any]
_Code = tuple[str, str]  # an expression for the value of the object `o`, one that writes it as `v`


@cache
def get_dumper(schema: type[Schema]) -> Dumper:
    """Get the function (object, base URL) → members of a schema; absent members are left out."""
    names: _Names = {
        "filled": fill_gaps,
        "listing": _write_listing,
        "amount": parse_amount,
        "parse": orjson.loads,
        "named": _repeat_name,
    }
    access = "o.get({!r})" if issubclass(schema, JsonColumnSchema) else "o.{}"
    lines = ["def dump(o, base):", "    d = {}"]
    for name, field in schema().dump_fields.items():
        value, expression = _write_code(field, access.format(field.attribute or name), names)
        lines.append(
            f"    if (v := {value}) is not None: d[{field.data_key or name!r}] = {expression}"
        )
    source = "\n".join([*lines, "    return d"])
    # Made of the names in our own schemas and nothing else; no input ever comes near.
    exec(compile(source, f"<{schema.__name__}>", "exec"), names)  # noqa: S102
    dump: Dumper = names["dump"]
    return dump


def _write_code(field: fields.Field[Any], access: str, names: _Names) -> _Code:
    """Give the code of the first line of the table that fits; any other value stays as it is."""
    for kind, code in _CODES:
        if isinstance(field, kind):
            return code(field, access, names)
    return access, "v"


def _repeat_name(name: str) -> dict[str, str]:
    return dict.fromkeys(LANGUAGES, name)


def _write_listing(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "totalItems": len(items)}


def _add_name(value: Any, names: _Names) -> str:
    """Make a name for something that the code calls."""
    name = f"n{len(names)}"
    names[name] = value
    return name


def _write_dump(schema: type[Schema], names: _Names) -> str:
    return f"{_add_name(get_dumper(schema), names)}(v, base)"


def _write_href(template: str) -> str:
    return f"f{'{base}' + template.replace('{0.', '{o.')!r}"


def _write_inline_object(field: InlineObject, _: str, names: _Names) -> _Code:
    guard = f"None if o.{field.unless_none} is None else " if field.unless_none else ""
    return f"{guard}o", _write_dump(type(field.schema), names)


def _write_items(field: Listing, items: str, names: _Names) -> str:
    return f"listing([{_write_dump(field.item, names)} for v in {items}])"


def _write_list(field: fields.List[Any], access: str, names: _Names) -> _Code:
    return access, f"[{_write_code(field.inner, access, names)[1]} for v in v]"


# Subclasses stand before their bases: the first line that fits is the one that is taken.
_CODES: Final[tuple[tuple[type, Callable[[Any, str, _Names], _Code]], ...]] = (
    (fields.Constant, lambda field, _, names: (_add_name(field.constant, names), "v")),
    (Href, lambda field, _, __: (_write_href(field.template), "v")),
    (HasInstant, lambda field, _, __: (f"o.{field.instant} is not None", "v")),
    (InlineObject, _write_inline_object),
    (JsonListing, lambda field, access, names: (access, _write_items(field, "parse(v)", names))),
    (Listing, lambda field, access, names: (access, _write_items(field, "v", names))),
    (fields.Nested, lambda field, access, names: (access, _write_dump(type(field.schema), names))),
    (fields.List, _write_list),
    (
        NameWithFallback,
        lambda field, access, __: (f"{access} or named(o.get({field.other!r}))", "filled(v)"),
    ),
    (TranslatedText, lambda _, access, __: (access, "filled(v)")),
    (TextWithFallback, lambda field, access, __: (f"{access} or o.get({field.other!r})", "v")),
    (BooleanOrFalse, lambda _, access, __: (f"bool({access})", "v")),
    (Amount, lambda _, access, __: (access, "amount(v)")),
    (Kilobytes, lambda _, access, __: (access, "v / 1024")),
)
