"""Changes that the federation tells by its webhook (contract 3.5), as CloudEvents.

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
class CloudEvent:
    """A CloudEvent 1.0; `time` is written as RFC 3339 has it."""

    id: str
    source: str
    type: str
    time: str
    data: dict[str, Any]

    def render_structured(self) -> tuple[dict[str, str], bytes]:
        """Headers and body, everything in the body."""
        members = {**self._attributes, "datacontenttype": "application/json", "data": self.data}
        return {"Content-Type": "application/cloudevents+json"}, json.dumps(members).encode()

    def render_binary(self) -> tuple[dict[str, str], bytes]:
        """Headers and body, the attributes in the headers (CloudEvents HTTP binding, 3.1)."""
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
        eboxes = json.loads(register.read_text())
        ebox = eboxes.setdefault(self.enterprise, {"partitions": ["GENERAL"], "users": {}})
        members = {
            "enterpriseNumber": self.enterprise,
            "partition": self.partition,
            "ssin": self.person,
            "orderedRoutingRules": self.rules,
        }
        data = {name: value for name, value in members.items() if value is not None}
        happen = _HAPPENINGS.get(self.type.removeprefix(FAMILY))
        if happen:
            data |= happen(ebox, self)
            write_private(register, json.dumps(eboxes, indent=2))
        return data


def _rules(ebox: Ebox, change: Change) -> dict[str, Any]:
    before: list[Rule] = ebox.get("routingRules", [])
    is_deleted = change.type.endswith(".deleted")
    rules = change.rules
    if rules is None:
        rules = [] if is_deleted else before
    after = ebox["routingRules"] = _number_rules(rules, before)
    number = _find_changed_rule(before, after, is_deleted=is_deleted)
    return {"routingRuleId": number, "orderedRoutingRules": after}


def _find_changed_rule(before: list[Rule], after: list[Rule], *, is_deleted: bool) -> int:
    """The id of the rule that the event is about; 0 when there is none, before or after."""
    missing = [rule for rule in before if rule not in after]
    new = [rule for rule in after if rule not in before]
    different = [rule for rule, other in zip(after, before, strict=False) if rule != other]
    candidates = [*(missing if is_deleted else ()), *new, *different, *after, *before]
    return next((int(rule["routingRuleId"]) for rule in candidates), 0)


def _number_rules(rules: list[Rule], before: list[Rule]) -> list[Rule]:
    """Give each rule its id: that of the same rule before, else the next free one."""
    ids = {_content(rule): rule["routingRuleId"] for rule in before}
    free = max([0, *ids.values(), *(rule.get("routingRuleId", 0) for rule in rules)])
    rules_with_ids = []
    for rule in rules:
        number = rule.get("routingRuleId") or ids.pop(_content(rule), None)
        if number is None:
            free = number = free + 1
        rules_with_ids.append({"routingRuleId": number, **rule})
    return rules_with_ids


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
