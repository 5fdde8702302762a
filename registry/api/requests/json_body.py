"""JSON bodies → domain values by a marshmallow schema, all faults at once, each with its path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Final, Self

from marshmallow import Schema, ValidationError, fields, pre_load
from marshmallow.experimental.context import Context

from registry.api.requests.fault_limits import MOST_CHARACTERS, MOST_FAULTS
from registry.domain.errors import ABSENT, MISSING_KEYS, Issue, IssueKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRules:
    """Decisions of the operator about bodies: most characters of texts (contract 4.9), most items.

    `check_digits` tells if check digits are looked at (contract 6.31).
    """

    subject: int = 400
    value: int = 256
    label: int = 100
    attachments: int = 20
    business_data: int = 100
    business_data_size: int = 64 * 1024  # bytes of JSON, all together
    recipients: int = 10_000  # of one broadcast
    statuses: int = 500  # asked for at once
    check_digits: bool = True


class Fault(str):
    """A fault of a member; read after the member's path, unless it is a `whole` sentence.

    A `secret` fault does not repeat the value: it is about a person.
    """

    __slots__ = ("kind", "secret", "whole")
    kind: IssueKind
    whole: bool
    secret: bool

    def __new__(
        cls,
        text: str,
        kind: IssueKind = IssueKind.SCHEMA_VIOLATION,
        *,
        whole: bool = False,
        secret: bool = False,
    ) -> Self:
        """Make the text, with what else is to be known of the fault."""
        fault = super().__new__(cls, text)
        fault.kind, fault.whole, fault.secret = kind, whole, secret
        return fault


_USUAL: Final = BodyRules()
_PATH: Final = "{path}"
_MISSING: Final = Fault(f"{MISSING_KEYS}{_PATH}", whole=True)
_IN_OUR_WORDS: Final[Mapping[Any, str]] = {
    fields.Field.default_error_messages["required"]: _MISSING,
    fields.Field.default_error_messages["null"]: "is null",
    fields.String.default_error_messages["invalid"]: "is not a text",
    fields.List.default_error_messages["invalid"]: "is not an array",
    fields.Dict.default_error_messages["invalid"]: "is not an object",
}


class Members(Schema):
    """An object of a body; members it does not know are refused (contract 6.32).

    But for `former_names`, which 2.1 or the documentation have: each is read as the member that is
    called so now, unless this is there too, or ignored where there is none.
    """

    former_names: ClassVar[Mapping[str, str | None]] = {}

    error_messages = {  # noqa: RUF012 (marshmallow's own declaration)
        "type": "is not an object",
        "unknown": Fault("is unknown", IssueKind.UNKNOWN_INPUT),
    }

    @pre_load
    def read_former_names(self, members: Any, **_: Any) -> Any:
        """Give members the names of today."""
        if not isinstance(members, dict) or self.former_names.keys().isdisjoint(members):
            return members
        former = {name: value for name, value in members.items() if name in self.former_names}
        renamed = {self.former_names[name]: value for name, value in former.items()}
        todays = {name: value for name, value in members.items() if name not in former}
        return {name: value for name, value in renamed.items() if name is not None} | todays


def load(
    schema: Schema,
    members: Mapping[str, Any] | list[Any],
    where: str = "body",
    *,
    rules: BodyRules = _USUAL,
    under: str = "",
) -> tuple[Any, list[Issue]]:
    """Load the members by the schema; gives None and at most a hundred faults if there are any.

    A fault is named by its path, such as `businessDataList[0].values[1].nl`, after `under`.
    """
    try:
        # Schemas are shared by all requests, rules differ by version: the fields find them here.
        with Context(rules):
            return schema.load(members), []
    except ValidationError as error:
        # A generator, so that nothing is made of the faults beyond the limit.
        issues = _list_issues(error.messages, members, where, under)
        return None, list(islice(issues, MOST_FAULTS))


def rules() -> BodyRules:
    """Give the rules of the body that is being read."""
    body_rules: BodyRules = Context.get(_USUAL)
    return body_rules


def _list_issues(faults: Any, value: Any, where: str, path: str) -> Iterator[Issue]:
    """List the issues of marshmallow's tree of errors; `value` is what the tree is about."""
    if isinstance(faults, dict):
        for key, below in faults.items():
            if key == "_schema":
                yield from _list_issues(below, value, where, path)
            else:
                yield from _list_issues(
                    below, _find_member(value, key), where, _join_path(path, key)
                )
        return
    for fault in faults:
        text = _IN_OUR_WORDS.get(fault, fault)
        yield _make_issue(text if isinstance(text, Fault) else Fault(text), value, where, path)


def _make_issue(fault: Fault, value: Any, where: str, path: str) -> Issue:
    name = path[:MOST_CHARACTERS]
    detail = fault.replace(_PATH, name) if fault.whole else f"{name} {fault}"
    is_long = isinstance(value, dict | list) or len(str(value)) > MOST_CHARACTERS
    shown = ABSENT if fault.secret or is_long else value
    return Issue(where, name, detail, fault.kind, shown, is_missing=fault is _MISSING)


def _find_member(value: Any, key: Any) -> Any:
    try:
        return value[key]
    except (KeyError, IndexError, TypeError):
        return ABSENT


def _join_path(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)
