"""Which partition of the recipient's e-Box a new message goes to (contract 4.13)."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry.domain.messages import GENERAL


@dataclass(frozen=True, slots=True)
class Rule:
    """One routing rule; a criterion that is None asks nothing, all others must hold.

    So a rule without criteria takes every message. Whoever reads rules must refuse criteria that
    he does not know, lest a rule become one of those.
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
        """Whether a message of this type, application and organization falls under the rule."""
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
    """The partition of the first rule that matches, `GENERAL` when none does.

    `rules` come in the order of their priority, as the federation gives them.
    """
    message = (message_type_id, sender_application_id, sender_organization_id)
    return next((rule.partition for rule in rules if rule.matches(*message)), GENERAL)
