"""Routing: what the federation tells is applied, what it has not told is asked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.identifiers import Ebox, EnterpriseNumber
from registry.domain.notifications import Notification
from registry.domain.routing import Rule, route
from registry.store.publication import routing_rules as store
from registry.store.schema import Transactions

Rules = tuple[Rule, ...]

_UNANSWERED: Final = 3  # questions in a row, after which the federation is left alone
_RULE_EVENTS: Final = "be.eboxenterprise.v1.routingRule."
_RIGHT_EVENTS: Final = (
    "be.eboxenterprise.v1.partition.",
    "be.eboxenterprise.v1.partitionUserRight.",
)


class RuleService(Protocol):
    """The federation's word on routing; raises `Unavailable` and `UpstreamInvalid`."""

    def routing_rules(self, enterprise: EnterpriseNumber) -> Rules:
        """The rules of an enterprise's e-Box, the first to match decides."""
        ...


@dataclass(frozen=True)
class Routing:
    """Rules and rights as the federation last told them (contract 4.13, 6.18, 6.19).

    `read_rules` reads the rules of an event's data; raises `UpstreamInvalid` for nonsense.
    """

    transactions: Transactions
    federation: RuleService
    audit_log: AuditLog
    read_rules: Callable[[object], Rules]
    now: Callable[[], datetime]

    def rules_of(self, connection: Connection, eboxes: Collection[Ebox]) -> Mapping[Ebox, Rules]:
        """The rules that are here; an e-Box whose rules are not known is absent."""
        return store.rules_of(connection, eboxes)

    def refresh(self, ebox: Ebox) -> bool:
        """Ask for the rules again and route what waited for them; whether somebody answered.

        Nothing is recorded, whoever wants it: it shows nobody anything, and decides nothing that
        the federation has not.
        """
        return self._asked(ebox)

    def catch_up(self, limit: int) -> int:
        """Ask for the rules that messages wait for (contract 6.18); how many e-Boxes it helped.

        For the worker, who looks across e-Boxes; stops when nobody answers time and again.
        """
        with self.transactions() as connection:
            eboxes = store.waiting(connection, limit)
        helped = unanswered = 0
        for ebox in eboxes:
            if self.refresh(ebox):
                helped, unanswered = helped + 1, 0
            else:
                unanswered += 1
            if unanswered == _UNANSWERED:
                break
        return helped

    def settle(self, ebox: Ebox) -> None:
        """Route what waits, if the rules are known by now."""
        with self.transactions(ebox) as connection:
            store.alone(connection, ebox)
            rules = store.rules_of(connection, [ebox]).get(ebox)
            if rules is not None:
                self._settle(connection, ebox, rules)

    def apply(self, call: Call, notification: Notification, ebox: Ebox) -> None:
        """Apply an event; a duplicate is ignored, and rules older than those we have (6.19).

        Rights are forgotten whenever an event may concern them, old or not: that is safe. Raises
        `UpstreamInvalid` for rules that cannot be read; nothing is applied then.
        """
        is_rules = notification.type.startswith(_RULE_EVENTS)
        is_rights = notification.type.startswith(_RIGHT_EVENTS)
        rules = self.read_rules(notification.data.get("orderedRoutingRules")) if is_rules else None
        now = self.now()
        happened = min(notification.time or now, now)  # or one wrong clock would age all others
        with self.transactions(ebox) as connection:
            store.alone(connection, ebox)
            told = details.notified(notification.source, notification.id, notification.type)
            self.audit_log.record(connection, call, ebox, told)
            newest = store.newest(connection, ebox).happened_at
            if not store.note_event(connection, ebox, notification, happened=happened, now=now):
                return
            if rules is not None:
                told_at = store.told_at(connection, ebox)
                if told_at is None or told_at <= happened:
                    store.keep_rules(connection, ebox, rules, told_at=happened)
                    self._settle(connection, ebox, rules)
                return
            store.forget_rights(connection, ebox)
            if not is_rights and (newest is None or newest <= happened):
                store.forget_rules(connection, ebox)  # a type we do not know may mean anything

    def _asked(self, ebox: Ebox) -> bool:
        asked_at = self.now()
        try:
            rules = self.federation.routing_rules(EnterpriseNumber(ebox.number))
        except (Unavailable, UpstreamInvalid):
            return False
        with self.transactions(ebox) as connection:
            store.alone(connection, ebox)
            received = store.newest(connection, ebox).received_at
            if received is None or received < asked_at:  # else an event knows better
                store.keep_rules(connection, ebox, rules, told_at=asked_at)
                self._settle(connection, ebox, rules)
        return True

    def _settle(self, connection: Connection, ebox: Ebox, rules: Rules) -> None:
        for waiting in store.pending(connection, ebox):
            partition = route(
                rules,
                message_type_id=waiting.message_type_id,
                sender_application_id=waiting.sender_application_id,
                sender_organization_id=waiting.sender,
            )
            store.settle(connection, ebox, waiting.message_id, partition)
