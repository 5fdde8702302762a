"""Routing rules as the federation writes them, in the Partition API and in webhook events."""

from typing import Any, Final

from registry.domain.routing import Rule
from registry.http_client.client import report_invalid

_SERVICE: Final = "routing rules"
_CRITERIA: Final = ("messageTypeId", "senderApplicationId", "senderOrganizationId")
_MEMBERS: Final = frozenset({"routingRuleId", "partition", *_CRITERIA})


def read_rules(items: object) -> tuple[Rule, ...]:
    """Read the rules, in the order of their priority (contract 3.2, 3.5).

    The members of an item are our reconstruction; `routingRuleId` is not needed, so not looked at.
    Raises `UpstreamInvalid` for what cannot be right.
    """
    if not isinstance(items, list):
        raise report_invalid(_SERVICE, "not a list")
    return tuple(_read_rule(item) for item in items)


def _read_rule(item: object) -> Rule:
    if not isinstance(item, dict):
        raise report_invalid(_SERVICE, "a rule is not an object")
    partition = _read_text(item, "partition")
    if partition is None:
        raise report_invalid(_SERVICE, "a rule without a partition")
    criteria = [_read_text(item, name) for name in _CRITERIA]
    # Criteria under names that we do not know would leave a rule that takes every message.
    if not any(criteria) and not item.keys() <= _MEMBERS:
        raise report_invalid(_SERVICE, "a rule without a criterion that we know")
    return Rule(partition, *criteria)


def _read_text(item: dict[str, Any], name: str) -> str | None:
    text = item.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or not text:
        raise report_invalid(_SERVICE, f"{name} is not a name")
    return text
