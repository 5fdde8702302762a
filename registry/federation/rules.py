"""Routing rules as the federation writes them, in the Partition API and in webhook events."""

from collections.abc import Mapping
from typing import Any, Final

from registry.domain.federation_words import Member
from registry.domain.routing import Rule
from registry.federation.member_names import LIKELY_NAMES, MemberNames, list_names
from registry.http_client.client import report_invalid

_SERVICE: Final = "routing rules"
_CRITERIA: Final = (Member.MESSAGE_TYPE, Member.APPLICATION, Member.ORGANIZATION)


def read_rules(items: object, names: MemberNames = LIKELY_NAMES) -> tuple[Rule, ...]:
    """Read the rules, in the order of their priority (contract 3.2, 3.5).

    The members of an item are our reconstruction, so `names` has several for each. Raises
    `UpstreamInvalid` for what cannot be right.
    """
    if not isinstance(items, list):
        raise report_invalid(_SERVICE, "not a list")
    known = {name for member in (Member.PARTITION, *_CRITERIA) for name in names.of(member)}
    known.update(names.of(Member.NO_CRITERION))
    return tuple(_read_rule(item, names, known) for item in items)


def _read_rule(item: object, names: MemberNames, known: set[str]) -> Rule:
    if not isinstance(item, Mapping):
        raise report_invalid(_SERVICE, "a rule is not an object")
    partition = _read_text(item, names, Member.PARTITION)
    if partition is None:
        raise report_invalid(_SERVICE, "a rule without a partition")
    criteria = [_read_text(item, names, member) for member in _CRITERIA]
    # Each unknown member may be a criterion, without which the rule would take messages that it is
    # not for, and show them to people who may not see them. Null is no criterion.
    unknown = {name for name, value in item.items() if value is not None} - known
    if unknown:
        listed = ", ".join(list_names(dict.fromkeys(unknown)))
        raise report_invalid(_SERVICE, f"a rule with members that we do not know: {listed}")
    return Rule(partition, *criteria)


def _read_text(item: Mapping[str, Any], names: MemberNames, member: Member) -> str | None:
    text = names.find(item, member, _SERVICE)
    if text is None:
        return None
    if not isinstance(text, str) or not text:
        raise report_invalid(_SERVICE, f"{member} is not a name")
    return text
