"""Marshmallow schemas compiled into functions that show an object as JSON members.

`dump` takes ten times as long, and pages of messages are what the portal asks for all day. A test
holds every compiled dumper against `dump` itself.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from marshmallow import Schema, fields

from registry.api.responses.fields import (
    Amount,
    Happened,
    Href,
    KeptAsJson,
    Kilobytes,
    Listing,
    Named,
    OrFalse,
    Otherwise,
    Translated,
    Within,
    amount,
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
        "amount": amount,
        "named": _name_by,
    }
    access = "o.get({!r})" if issubclass(schema, KeptAsJson) else "o.{}"
    lines = ["def dump(o, base):", "    d = {}"]
    for name, field in schema().dump_fields.items():
        value, expression = _code(field, access.format(field.attribute or name), names)
        lines += [
            f"    v = {value}",
            f"    if v is not None: d[{field.data_key or name!r}] = {expression}",
        ]
    source = "\n".join([*lines, "    return d"])
    # Made of the names in our own schemas and nothing else; no input ever comes near.
    exec(compile(source, f"<{schema.__name__}>", "exec"), names)  # noqa: S102
    dump: Dumper = names["dump"]
    return dump


def _code(field: fields.Field[Any], access: str, names: _Names) -> _Code:
    """Give the code of the first line of the table that fits; any other value stays as it is."""
    for kind, code in _CODES:
        if isinstance(field, kind):
            return code(field, access, names)
    return access, "v"


def _name_by(name: str) -> dict[str, str]:
    return dict.fromkeys(LANGUAGES, name)


def _write_listing(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "totalItems": len(items)}


def _name(value: Any, names: _Names) -> str:
    """Make a name for something that the code calls."""
    name = f"n{len(names)}"
    names[name] = value
    return name


def _dump(schema: type[Schema], names: _Names) -> str:
    return f"{_name(get_dumper(schema), names)}(v, base)"


def _within(field: Within, _: str, names: _Names) -> _Code:
    guard = f"None if o.{field.unless_none} is None else " if field.unless_none else ""
    return f"{guard}o", _dump(type(field.schema), names)


def _list(field: fields.List[Any], access: str, names: _Names) -> _Code:
    return access, f"[{_code(field.inner, access, names)[1]} for v in v]"


_CODES: Final[tuple[tuple[type, Callable[[Any, str, _Names], _Code]], ...]] = (
    (fields.Constant, lambda field, _, names: (_name(field.constant, names), "v")),
    (Href, lambda field, _, names: (f"base + {_name(field.template.format, names)}(o)", "v")),
    (Happened, lambda field, _, __: (f"o.{field.instant} is not None", "v")),
    (Within, _within),
    (
        Listing,
        lambda field, access, names: (access, f"listing([{_dump(field.item, names)} for v in v])"),
    ),
    (fields.Nested, lambda field, access, names: (access, _dump(type(field.schema), names))),
    (fields.List, _list),
    (Named, lambda field, access, __: (f"{access} or named(o.get({field.other!r}))", "filled(v)")),
    (Translated, lambda _, access, __: (access, "filled(v)")),
    (Otherwise, lambda field, access, __: (f"{access} or o.get({field.other!r})", "v")),
    (OrFalse, lambda _, access, __: (f"bool({access})", "v")),
    (Amount, lambda _, access, __: (access, "amount(v)")),
    (Kilobytes, lambda _, access, __: (access, "v / 1000")),
)
