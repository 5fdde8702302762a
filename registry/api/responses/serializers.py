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
_Code = tuple[str, str]  # how a value is read from the object `o`, how it is shown as `v`


@cache
def dumper(schema: type[Schema]) -> Dumper:
    """The function (object, base URL) → members of a schema; absent members are left out."""
    names: _Names = {"filled": fill_gaps, "listing": _listing, "amount": amount, "named": _named_by}
    read = "o.get({!r})" if issubclass(schema, KeptAsJson) else "o.{}"
    lines = ["def dump(o, base):", "    d = {}"]
    for name, field in schema().dump_fields.items():
        value, shown = _code(field, read.format(field.attribute or name), names)
        lines += [
            f"    v = {value}",
            f"    if v is not None: d[{field.data_key or name!r}] = {shown}",
        ]
    source = "\n".join([*lines, "    return d"])
    # Made of the names in our own schemas and nothing else; no input ever comes near.
    exec(compile(source, f"<{schema.__name__}>", "exec"), names)  # noqa: S102
    compiled: Dumper = names["dump"]
    return compiled


def _code(field: fields.Field[Any], read: str, names: _Names) -> _Code:
    """What the first line of the table that fits says; any other value is shown as it is."""
    for kind, code in _CODES:
        if isinstance(field, kind):
            return code(field, read, names)
    return read, "v"


def _named_by(name: str) -> dict[str, str]:
    return dict.fromkeys(LANGUAGES, name)


def _listing(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "totalItems": len(items)}


def _named(value: Any, names: _Names) -> str:
    """A name for something that the code calls."""
    name = f"n{len(names)}"
    names[name] = value
    return name


def _dump(schema: type[Schema], names: _Names) -> str:
    return f"{_named(dumper(schema), names)}(v, base)"


def _within(field: Within, _: str, names: _Names) -> _Code:
    gone = f"None if o.{field.unless_none} is None else " if field.unless_none else ""
    return f"{gone}o", _dump(type(field.schema), names)


def _list(field: fields.List[Any], read: str, names: _Names) -> _Code:
    return read, f"[{_code(field.inner, read, names)[1]} for v in v]"


_CODES: Final[tuple[tuple[type, Callable[[Any, str, _Names], _Code]], ...]] = (
    (fields.Constant, lambda field, _, names: (_named(field.constant, names), "v")),
    (Href, lambda field, _, names: (f"base + {_named(field.template.format, names)}(o)", "v")),
    (Happened, lambda field, _, __: (f"o.{field.instant} is not None", "v")),
    (Within, _within),
    (
        Listing,
        lambda field, read, names: (read, f"listing([{_dump(field.item, names)} for v in v])"),
    ),
    (fields.Nested, lambda field, read, names: (read, _dump(type(field.schema), names))),
    (fields.List, _list),
    (Named, lambda field, read, __: (f"{read} or named(o.get({field.other!r}))", "filled(v)")),
    (Translated, lambda _, read, __: (read, "filled(v)")),
    (Otherwise, lambda field, read, __: (f"{read} or o.get({field.other!r})", "v")),
    (OrFalse, lambda _, read, __: (f"bool({read})", "v")),
    (Amount, lambda _, read, __: (read, "amount(v)")),
    (Kilobytes, lambda _, read, __: (read, "v / 1000")),
)
