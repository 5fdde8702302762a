"""Routing: keeps the rules that the federation tells, asks for those that it has not told yet."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.federation_words import EventKind
from registry.domain.identifiers import Ebox, EnterpriseNumber
from registry.domain.notifications import FederationChange, Notification
from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule, redirect, route
from registry.store.publication import routing_rules as store
from registry.store.transactions import Transactions

Rules = tuple[Rule, ...]

_PATIENCE: Final = 3  # failures in a row, after which the federation is left alone
_log: Final = logging.getLogger(__name__)


class RuleService(Protocol):
    """The federation's knowledge of routing; raises `Unavailable` and `UpstreamInvalid`."""

    def routing_rules(self, enterprise: EnterpriseNumber) -> Rules:
        """Fetch the rules of an enterprise's e-Box, the first to match decides."""
        ...

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """Fetch the partitions that the enterprise has."""
        ...


class EventReader(Protocol):
    """The way in which the federation writes the webhook's events."""

    def find_enterprise(self, data: Mapping[str, Any]) -> Any:
        """Find what the data say of the enterprise; raises `UpstreamInvalid` for two of them."""
        ...

    def read_change(self, notification: Notification) -> FederationChange:
        """Read the change that an event tells; raises `UpstreamInvalid` if that is not clear."""
        ...

    def list_names(self, data: Mapping[str, Any]) -> Sequence[str]:
        """List the names of the data's members, for a line of log."""
        ...


@dataclass(frozen=True)
class Routing:
    """Rules and rights as the federation last told them (contract 4.13, 6.18, 6.19)."""

    transactions: Transactions
    federation: RuleService
    audit_log: AuditLog
    events: EventReader
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
        if any(rule.partition != GENERAL for rule in rules):
            # After the rules, so that the answer knows every partition that they point at.
            rules = _redirect(rules, self._find_partitions(ebox))
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
        """Apply an event; a duplicate is ignored, and what is older than what we have (6.19).

        An event that is not understood ends all that is known of the enterprise's rights and rules:
        they are asked for again, while stale ones would go on to show messages to the wrong people.
        Rights are deleted whenever an event may concern them, old or not, for the same reason.
        """
        change = self._read_change(notification)
        existing = None if change is None else self._find_existing(ebox, change)
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
            is_newest = newest is None or newest <= happened_at
            if change is None:
                store.forget_rights(connection, ebox)
                # Only rules that are newer themselves survive an old event: a newer event of
                # another kind says nothing about them.
                if is_newest or self._are_rules_older(connection, ebox, happened_at):
                    store.forget_rules(connection, ebox)
            elif change.kind is EventKind.RULES:
                self._apply_rules(connection, ebox, _redirect(change.rules, existing), happened_at)
            else:
                store.forget_rights(connection, ebox)
                self._apply_partition(connection, ebox, change, existing, is_newest=is_newest)

    def confirm_partition(self, ebox: Ebox, partition: str | None) -> str | None:
        """Give the partition that a reply goes to; None, for the rules to decide, if it is gone.

        While nobody says which partitions there are, it counts as there.
        """
        if partition is None or partition == GENERAL:
            return partition
        existing = self._find_partitions(ebox)
        return partition if existing is None or partition in existing else None

    def _read_change(self, notification: Notification) -> FederationChange | None:
        """Read the change that the event tells; None, with a warning, if it is not understood."""
        try:
            return self.events.read_change(notification)
        except UpstreamInvalid:
            names = ", ".join(self.events.list_names(notification.data))
            # Names of members, never their values, which may be about people.
            _log.warning("webhook: an event is not understood; its members: %s", names)
            return None

    def _find_existing(self, ebox: Ebox, change: FederationChange) -> frozenset[str] | None:
        """Find the partitions that exist, where the change depends on it; None when unknown."""
        if change.kind is EventKind.RULES:
            depends = any(rule.partition != GENERAL for rule in change.rules)
        else:
            depends = change.kind is EventKind.PARTITION_DELETED
        return self._find_partitions(ebox) if depends else None

    def _find_partitions(self, ebox: Ebox) -> frozenset[str] | None:
        try:
            return self.federation.partitions(EnterpriseNumber(ebox.number))
        except (Unavailable, UpstreamInvalid):
            return None

    def _are_rules_older(self, connection: Connection, ebox: Ebox, instant: datetime) -> bool:
        told_at = store.find_told_at(connection, ebox)
        return told_at is None or told_at <= instant

    def _apply_rules(
        self, connection: Connection, ebox: Ebox, rules: Rules, happened_at: datetime
    ) -> None:
        if self._are_rules_older(connection, ebox, happened_at):
            store.keep_rules(connection, ebox, rules, told_at=happened_at)
            self._route_pending(connection, ebox, rules)

    def _apply_partition(
        self,
        connection: Connection,
        ebox: Ebox,
        change: FederationChange,
        existing: frozenset[str] | None,
        *,
        is_newest: bool,
    ) -> None:
        """Follow the creation or deletion of a partition; rights were forgotten already."""
        partition = change.partition
        if partition is None or partition == GENERAL:  # which exists always (contract 4.15)
            return
        rules = store.find_rules(connection, [ebox]).get(ebox, ())
        told_at = store.find_told_at(connection, ebox)
        if change.kind is EventKind.PARTITION_CREATED:
            # A rule that leads to GENERAL may have pointed at this partition before it was there.
            if any(rule.partition == GENERAL for rule in rules):
                store.forget_rules(connection, ebox)
        elif is_newest or (existing is not None and partition not in existing):
            # An old deletion, of a partition that was made again since, moves nothing.
            store.move_to_general(connection, ebox, partition)
            if told_at is not None:
                remaining = redirect(rules, lambda name: name != partition)
                store.keep_rules(connection, ebox, remaining, told_at=told_at)

    def _route_pending(self, connection: Connection, ebox: Ebox, rules: Rules) -> None:
        for message in store.find_pending_messages(connection, ebox):
            partition = route(
                rules,
                message_type_id=message.message_type_id,
                sender_application_id=message.sender_application_id,
                sender_organization_id=message.sender,
            )
            store.route_message(connection, ebox, message.message_id, partition)


def _redirect(rules: Rules, existing: frozenset[str] | None) -> Rules:
    """Lead rules to GENERAL whose partition does not exist; unchanged while nobody says so."""
    return rules if existing is None else redirect(rules, existing.__contains__)
