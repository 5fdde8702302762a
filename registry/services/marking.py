"""Keeping an e-Box in order: showing, hiding and moving messages, executing their actions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from registry.domain.access import Caller, Rights
from registry.domain.errors import Invalid, Issue, IssueKind, NotFound, PermissionMissing
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.domain.messages import GENERAL
from registry.services.permitting import Permitting
from registry.store import marks
from registry.store.base import AnyRow
from registry.store.marks import Mark


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a message; None leaves it as it is."""

    message_id: UUID
    is_visible: bool | None = None
    partition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a message asks its owner to do, by the names it has in the store."""

    action_id: str
    action_label: Mapping[str, str]
    action_executed_at: datetime | None


class PartitionService(Protocol):
    """The federation's word on partitions; raises `Unavailable` and `UpstreamInvalid`."""

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """The partitions that the enterprise has."""
        ...


@dataclass(frozen=True)
class Marking:
    """Changes what the owner of an e-Box may change: all that is asked for at once, or nothing.

    Raises `NotFound` and `PermissionMissing` as `Consulting` does. Messages that were sent cannot
    be changed: they are the recipient's.
    """

    permitting: Permitting
    federation: PartitionService
    now: Callable[[], datetime]

    def update(self, caller: Caller, ebox: Ebox, changes: Sequence[Change]) -> Sequence[Mark]:
        """Show, hide or move messages; each as it then is, in the order asked.

        Moving needs the right to consult both partitions, and the target must exist: raises
        `Invalid` when it does not (contract 6.7, 6.8). Asking again changes nothing.
        """
        targets = {change.partition: at for at, change in enumerate(changes) if change.partition}
        if targets and ebox.kind is EboxKind.CITIZEN:
            fault = "is not for citizens, who have no partitions"
            raise Invalid(_issues(targets, fault, IssueKind.INVALID_INPUT))
        known = self._known(caller, ebox, targets)
        wanted = {change.message_id: change for change in changes}
        with self.permitting.opened(caller, ebox) as (connection, rights):
            found = marks.lock(connection, ebox, wanted, self.now())
            _check_sources(wanted, found, rights)
            _check_targets(targets, rights, known)
            new = {row.message_id: _merged(wanted[row.message_id], row) for row in found}
            changed = [new[row.message_id] for row in found if new[row.message_id].differs(row)]
            marks.update_all(connection, ebox, changed)
        return [new[message_id] for message_id in wanted]

    def execute_action(self, caller: Caller, ebox: Ebox, message_id: UUID) -> Action:
        """Note that the message's action was executed, which happens once (contract 6.11)."""
        now = self.now()
        with self.permitting.opened(caller, ebox) as (connection, rights):
            found = marks.lock(connection, ebox, [message_id], now)
            _check_sources([message_id], found, rights)
            (message,) = found
            if message.action_id is None:
                raise NotFound("message_id", str(message_id), "The message has no action.")
            if message.action_executed_at is None:
                marks.execute_action(connection, ebox, message_id, now)
        return Action(
            action_id=message.action_id,
            action_label=message.action_label,
            action_executed_at=message.action_executed_at or now,
        )

    def _known(self, caller: Caller, ebox: Ebox, targets: Collection[str]) -> frozenset[str]:
        """The partitions that exist, for a caller who may read them all; for a person, none.

        A person's rights say it too. No transaction is open while the federation is asked.
        """
        if not set(targets) - {GENERAL} or not self.permitting.scopes.sees_whole(caller, ebox):
            return frozenset()
        return self.federation.partitions(EnterpriseNumber(ebox.number))


def _merged(change: Change, row: AnyRow) -> Mark:
    """The message as it will be."""
    return Mark(
        row.message_id,
        row.is_visible if change.is_visible is None else change.is_visible,
        change.partition or row.partition,
    )


def _check_sources(wanted: Collection[UUID], found: Sequence[AnyRow], rights: Rights) -> None:
    there = {row.message_id for row in found}
    for message_id in wanted:
        if message_id not in there:
            raise NotFound("message_id", str(message_id))
    if not all(rights.allow(row.partition) for row in found):
        raise PermissionMissing("The caller has no right on the partition of a message.")


def _check_targets(targets: Mapping[str, int], rights: Rights, known: frozenset[str]) -> None:
    existing = known | rights.known | {GENERAL}
    unknown = {partition: at for partition, at in targets.items() if partition not in existing}
    if unknown:
        kind = IssueKind.REFERENCED_RESOURCE_NOT_FOUND
        raise Invalid(_issues(unknown, "does not exist", kind))
    if not all(rights.allow(partition) for partition in targets):
        raise PermissionMissing("The caller has no right on the partition to move to.")


def _issues(targets: Mapping[str, int], fault: str, kind: IssueKind) -> list[Issue]:
    """An issue for each target, naming the item that asks for it."""
    return [
        Issue("body", f"items[{at}].partition", f"items[{at}].partition {fault}", kind, partition)
        for partition, at in targets.items()
    ]
