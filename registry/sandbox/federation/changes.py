"""What the federation tells by its webhook (contract 3.5): changes, made known as CloudEvents.

A change is made in the stand-in's partitions.json first, so that whoever is told and asks back
hears the same.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from registry.sandbox.files import write_private

FAMILY: Final = "be.eboxenterprise.v1."  # of the partition and right events by analogy
_PLAIN: Final = "".join(map(chr, range(0x21, 0x7F))).translate({ord(sign): None for sign in '"%'})

Rule = dict[str, Any]
Ebox = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A CloudEvent 1.0; `time` is written as RFC 3339 has it."""

    id: str
    source: str
    type: str
    time: str
    data: dict[str, Any]

    def structured(self) -> tuple[dict[str, str], bytes]:
        """Headers and body, everything in the body."""
        members = {**self._attributes, "datacontenttype": "application/json", "data": self.data}
        return {"Content-Type": "application/cloudevents+json"}, json.dumps(members).encode()

    def binary(self) -> tuple[dict[str, str], bytes]:
        """The same with the attributes in the headers (CloudEvents HTTP binding, 3.1)."""
        attributes = {f"ce-{name}": quote(text, _PLAIN) for name, text in self._attributes.items()}
        return {"Content-Type": "application/json", **attributes}, json.dumps(self.data).encode()

    @property
    def _attributes(self) -> dict[str, str]:
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": self.time,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happens to an e-Box; `rules` are all its rules afterwards, by priority.

    `rules` None means that no rules were named: then those there are stay, but none is left when a
    rule is deleted.
    """

    type: str
    enterprise: str
    partition: str | None = None
    person: str | None = None
    rules: list[Rule] | None = None

    def make(self, register: Path) -> dict[str, Any]:
        """Change the stand-in's partitions.json, and give the data of the event that tells of it.

        A type that is not one of `KINDS` changes nothing.
        """
        known = json.loads(register.read_text())
        ebox = known.setdefault(self.enterprise, {"partitions": ["GENERAL"], "users": {}})
        told = {
            "enterpriseNumber": self.enterprise,
            "partition": self.partition,
            "ssin": self.person,
            "orderedRoutingRules": self.rules,
        }
        data = {name: value for name, value in told.items() if value is not None}
        happen = _HAPPENINGS.get(self.type.removeprefix(FAMILY))
        if happen:
            data |= happen(ebox, self)
            write_private(register, json.dumps(known, indent=2))
        return data


def _rules(ebox: Ebox, change: Change) -> dict[str, Any]:
    before: list[Rule] = ebox.get("routingRules", [])
    is_deleted = change.type.endswith(".deleted")
    named = change.rules
    if named is None:
        named = [] if is_deleted else before
    after = ebox["routingRules"] = _numbered(named, before)
    number = _changed(before, after, is_deleted=is_deleted)
    return {"routingRuleId": number, "orderedRoutingRules": after}


def _changed(before: list[Rule], after: list[Rule], *, is_deleted: bool) -> int:
    """The id of the rule that the event is about; 0 when there is none, before or after."""
    gone = [rule for rule in before if rule not in after]
    new = [rule for rule in after if rule not in before]
    moved = [rule for rule, other in zip(after, before, strict=False) if rule != other]
    candidates = [*(gone if is_deleted else ()), *new, *moved, *after, *before]
    return next((int(rule["routingRuleId"]) for rule in candidates), 0)


def _numbered(rules: list[Rule], before: list[Rule]) -> list[Rule]:
    """The rules with their ids: those of the same rules before, else the next free ones."""
    ids = {_content(rule): rule["routingRuleId"] for rule in before}
    free = max([0, *ids.values(), *(rule.get("routingRuleId", 0) for rule in rules)])
    numbered = []
    for rule in rules:
        number = rule.get("routingRuleId") or ids.pop(_content(rule), None)
        if number is None:
            free = number = free + 1
        numbered.append({"routingRuleId": number, **rule})
    return numbered


def _content(rule: Rule) -> frozenset[tuple[str, Any]]:
    return frozenset((name, value) for name, value in rule.items() if name != "routingRuleId")


def _partition_created(ebox: Ebox, change: Change) -> dict[str, Any]:
    _add(ebox["partitions"], change.partition)
    return {}


def _partition_deleted(ebox: Ebox, change: Change) -> dict[str, Any]:
    for names in (ebox["partitions"], *ebox["users"].values()):
        _remove(names, change.partition)
    return {}


def _right_created(ebox: Ebox, change: Change) -> dict[str, Any]:
    if change.person:
        _add(ebox["users"].setdefault(change.person, []), change.partition)
    return {}


def _right_deleted(ebox: Ebox, change: Change) -> dict[str, Any]:
    if change.person:
        _remove(ebox["users"].get(change.person, []), change.partition)
    return {}


def _add(names: list[str], name: str | None) -> None:
    if name and name not in names:
        names.append(name)


def _remove(names: list[str], name: str | None) -> None:
    if name in names:
        names.remove(name)


_HAPPENINGS: Final[dict[str, Callable[[Ebox, Change], dict[str, Any]]]] = {
    "routingRule.created": _rules,
    "routingRule.updated": _rules,
    "routingRule.deleted": _rules,
    "partition.created": _partition_created,
    "partition.deleted": _partition_deleted,
    "partitionUserRight.created": _right_created,
    "partitionUserRight.deleted": _right_deleted,
}
KINDS: Final = tuple(_HAPPENINGS)
