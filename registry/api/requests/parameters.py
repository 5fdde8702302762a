"""Path and query of a request → domain values, all faults of a request at once."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import g, request
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from registry.api.requests.fault_limits import MOST_CHARACTERS
from registry.api.requests.parameter_fields import LenientParameter
from registry.api.state import get_state
from registry.domain.errors import ABSENT, Invalid, Issue, IssueKind

View = Callable[..., ResponseReturnValue]


class EmptySchema(Schema):
    """A query without parameters."""


def reads(path: Schema, query: Schema | None = None) -> Callable[[View], View]:
    """Give a view its path parameters, and `query` loaded by its schema, or raise `Invalid`.

    `path` loads every path parameter by the name it has in the contract. Unknown query parameters
    are ignored and their names logged, unless a setting has them refused where the schema, `path`
    if there is no query, does not exclude what it does not know, as that of 2.1 (contract 6.32).
    """
    schema = query or EmptySchema(unknown=path.unknown)
    aliases: Mapping[str, str] = getattr(schema, "aliases", {})
    nothing = schema.load({})  # most requests ask for nothing in particular
    names = {name: field.data_key or name for name, field in path.fields.items()}

    def decorate(view: View) -> View:
        @wraps(view)
        def load_and_view(**arguments: str) -> ResponseReturnValue:
            values = {names[name]: value for name, value in arguments.items()}
            identifiers, issues = _load(path, values, "path") if values else ({}, [])
            search, more_issues = (
                _load_query(schema, aliases) if request.query_string else (nothing, [])
            )
            if issues or more_issues:
                raise Invalid([*issues, *more_issues])
            return view(**identifiers) if query is None else view(**identifiers, query=search)

        return load_and_view

    return decorate


def _load_query(schema: Schema, aliases: Mapping[str, str]) -> tuple[Any, list[Issue]]:
    is_list = {
        field.data_key or name: isinstance(field, fields.List)
        for name, field in schema.fields.items()
    }
    pairs = list(_decode_pairs(request.query_string))
    given_names = {name for name, _ in pairs}
    values: dict[str, Any] = {}
    unknown: list[str] = []
    issues: list[Issue] = []
    for given_name, value in pairs:
        name = given_name
        if aliases.get(name, name) not in given_names:  # else the name of today counts
            name = aliases[name]
        if name not in is_list:
            unknown.append(name)
        elif value is None:
            issues.append(_make_issue("query", given_name, "is not UTF-8", ABSENT))
        elif is_list[name]:
            values.setdefault(name, []).append(value)
        elif name in values:
            issues.append(_make_issue("query", given_name, "is given more than once", value))
        else:
            values[name] = value
    if unknown and get_state().refuses_unknown_parameters and schema.unknown != EXCLUDE:
        kind = IssueKind.UNKNOWN_INPUT
        issues += [_make_issue("query", name, "is unknown", ABSENT, kind) for name in unknown]
    g.unknown_parameters = unknown
    g.checked_parameters = list(_find_checked(schema, values))
    value, faults = _load(schema, values, "query")
    return value, [*issues, *faults]


def _find_checked(schema: Schema, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find the parameters that pass their check, as name and value, for the audit trail.

    Where one does not the request is refused, and leaves no entry; but for those that 2.1 forgives.
    """
    fields_by_name = {field.data_key or name: field for name, field in schema.fields.items()}
    for name, given in values.items():
        field = fields_by_name[name]
        if not isinstance(field, LenientParameter) or field.takes(given):
            yield from ((name, value) for value in (given if isinstance(given, list) else [given]))


def _decode_pairs(text: bytes) -> Iterator[tuple[str, str | None]]:
    """Decode names and values of a query string; None for a value that is not UTF-8."""
    # By hand: werkzeug puts a replacement for what is not UTF-8, and so hides the fault.
    for pair in filter(None, text.split(b"&")):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        key = unquote_to_bytes(name).decode(errors="replace")
        try:
            yield key, unquote_to_bytes(value).decode()
        except UnicodeDecodeError:
            yield key, None


def _load(schema: Schema, values: Mapping[str, Any], where: str) -> tuple[Any, list[Issue]]:
    try:
        return schema.load(values), []
    except ValidationError as error:
        return None, list(_list_issues(error.messages, values, where))


def _list_issues(messages: Any, values: Mapping[str, Any], where: str) -> Iterator[Issue]:
    for name, faults in messages.items():
        value = values.get(name, ABSENT)
        if isinstance(faults, dict):  # items of a list, by their position
            for position, fault in faults.items():
                yield _make_issue(where, name, str(fault[0]), value[position])
        else:
            yield _make_issue(where, name, str(faults[0]), value)


def _make_issue(
    where: str,
    name: str,
    fault: str,
    value: Any,
    kind: IssueKind = IssueKind.SCHEMA_VIOLATION,
) -> Issue:
    """Make an issue that repeats no more than helps to find it, and never a text searched for."""
    if name == "q" or len(str(value)) > MOST_CHARACTERS:
        value = ABSENT
    short_name = name[:MOST_CHARACTERS]
    return Issue(where, short_name, f"{short_name} {fault}", kind, value)
