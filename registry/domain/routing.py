"""Routing of a new message to a partition of the recipient's e-Box (contract 4.13)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from registry.domain.partitions import GENERAL


@dataclass(frozen=True, slots=True)
class Rule:
    """One routing rule; a criterion that is None fits every message, all others must hold.

    A rule without criteria therefore takes every message. A reader of rules must refuse criteria
    that are new to him: without them, a rule would take more messages than it was made for.
    """

    partition: str
    message_type_id: str | None = None
    sender_application_id: str | None = None
    sender_organization_id: str | None = None

    def matches(
        self,
        message_type_id: str,
        sender_application_id: str | None,
        sender_organization_id: str,
    ) -> bool:
        """Tell whether the rule applies to messages of this type, application and organization."""
        return (
            self.message_type_id in (None, message_type_id)
            and self.sender_application_id in (None, sender_application_id)
            and self.sender_organization_id in (None, sender_organization_id)
        )


def route(
    rules: Iterable[Rule],
    *,
    message_type_id: str,
    sender_application_id: str | None,
    sender_organization_id: str,
) -> str:
    """Choose the partition of the first rule that matches, `GENERAL` when none does.

    `rules` come in the order of their priority, as the federation gives them.
    """
    message = (message_type_id, sender_application_id, sender_organization_id)
    # The general partition exists in every e-Box (contract 4.15), so a message always has a place.
    return next((rule.partition for rule in rules if rule.matches(*message)), GENERAL)


def redirect(rules: Iterable[Rule], is_there: Callable[[str], bool]) -> tuple[Rule, ...]:
    """Lead rules to `GENERAL` that point at a partition which is not there (contract 6.19).

    In a partition that does not exist, nobody would have the right to see their messages.
    """
    return tuple(
        rule if is_there(rule.partition) else replace(rule, partition=GENERAL) for rule in rules
    )
