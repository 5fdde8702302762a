"""Routing: keeps the rules that the federation tells, asks for those that it has not told yet."""

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
from registry.store.transactions import Transactions

Rules = tuple[Rule, ...]

_PATIENCE: Final = 3  # failures in a row, after which the federation is left alone
_RULE_EVENTS: Final = "be.eboxenterprise.v1.routingRule."
_RIGHT_EVENTS: Final = (
    "be.eboxenterprise.v1.partition.",
    "be.eboxenterprise.v1.partitionUserRight.",
)


class RuleService(Protocol):
    """The federation's knowledge of routing; raises `Unavailable` and `UpstreamInvalid`."""

    def routing_rules(self, enterprise: EnterpriseNumber) -> Rules:
        """Fetch the rules of an enterprise's e-Box, the first to match decides."""
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

    def find_rules(self, connection: Connection, eboxes: Collection[Ebox]) -> Mapping[Ebox, Rules]:
        """Find the rules that are kept here; an e-Box whose rules are not known is absent."""
        return store.find_rules(connection, eboxes)

    def refresh(self, ebox: Ebox) -> bool:
        """Ask for the rules again and route the messages that wait; tell if there was an answer.

        Nothing is recorded, whoever asks: it shows nobody anything, and decides nothing that the
        federation has not decided.
        """
        asked_at = self.now()  # before the question: its answer is of then, or later
        try:
            rules = self.federation.routing_rules(EnterpriseNumber(ebox.number))
        except (Unavailable, UpstreamInvalid):
            return False
        with self.transactions(ebox) as connection:
            store.lock_ebox(connection, ebox)
            last = store.find_event_times(connection, ebox).received_at
            # An event that came in since the question has newer rules than the answer.
            if last is None or last < asked_at:
                store.keep_rules(connection, ebox, rules, told_at=asked_at)
                self._route_pending(connection, ebox, rules)
        return True

    def catch_up(self, limit: int) -> int:
        """Ask for the rules that messages wait for (contract 6.18); gives the number of answers.

        For the worker, who looks across up to `limit` e-Boxes; stops when nobody answers time and
        again.
        """
        with self.transactions() as connection:
            eboxes = store.find_waiting_eboxes(connection, limit)
        answers = failures = 0
        for ebox in eboxes:
            if self.refresh(ebox):
                answers, failures = answers + 1, 0
            else:
                failures += 1
            # One e-Box without an answer says little, several in a row that the service is away.
            if failures == _PATIENCE:
                break
        return answers

    def settle(self, ebox: Ebox) -> None:
        """Route the messages that wait, if the rules are known by now."""
        with self.transactions(ebox) as connection:
            store.lock_ebox(connection, ebox)
            rules = store.find_rules(connection, [ebox]).get(ebox)
            if rules is not None:
                self._route_pending(connection, ebox, rules)

    def apply(self, call: Call, notification: Notification, ebox: Ebox) -> None:
        """Apply an event; a duplicate is ignored, and rules older than those we have (6.19).

        Rights are deleted whenever an event may concern them, old or not: that is safe, since they
        are asked for again. Raises `UpstreamInvalid` for rules that cannot be read; nothing is
        applied then.
        """
        is_rules = notification.type.startswith(_RULE_EVENTS)
        rules = self.read_rules(notification.data.get("orderedRoutingRules")) if is_rules else None
        now = self.now()
        # Never in the future: one wrong clock would make all other events look old.
        happened_at = min(notification.time or now, now)
        with self.transactions(ebox) as connection:
            store.lock_ebox(connection, ebox)
            entry = details.describe_notification(
                notification.source, notification.id, notification.type
            )
            self.audit_log.record(connection, call, ebox, entry)
            newest = store.find_event_times(connection, ebox).happened_at
            if not store.note_event(
                connection, ebox, notification, happened_at=happened_at, now=now
            ):
                return
            if rules is not None:
                self._apply_rules(connection, ebox, rules, happened_at)
                return
            store.forget_rights(connection, ebox)
            is_rights = notification.type.startswith(_RIGHT_EVENTS)
            if not is_rights and (newest is None or newest <= happened_at):
                store.forget_rules(connection, ebox)  # a type we do not know may mean anything

    def _apply_rules(
        self, connection: Connection, ebox: Ebox, rules: Rules, happened_at: datetime
    ) -> None:
        told_at = store.find_told_at(connection, ebox)
        if told_at is None or told_at <= happened_at:
            store.keep_rules(connection, ebox, rules, told_at=happened_at)
            self._route_pending(connection, ebox, rules)

    def _route_pending(self, connection: Connection, ebox: Ebox, rules: Rules) -> None:
        for message in store.find_pending_messages(connection, ebox):
            partition = route(
                rules,
                message_type_id=message.message_type_id,
                sender_application_id=message.sender_application_id,
                sender_organization_id=message.sender,
            )
            store.route_message(connection, ebox, message.message_id, partition)
