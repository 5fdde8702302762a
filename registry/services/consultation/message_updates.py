"""Keeping an e-Box in order: showing, hiding and moving messages, executing their actions."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.access import Caller
from registry.domain.calls import Call
from registry.domain.errors import Invalid, Issue, IssueKind, NotFound, PermissionMissing
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber
from registry.domain.partitions import GENERAL, Rights
from registry.services.consultation.partition_rights import PartitionRights, PartitionService
from registry.store.consultation import message_updates
from registry.store.consultation.message_updates import Mark
from registry.store.schema import AnyRow

Target = tuple[int, str]  # which of the changes, and the partition that it moves a message to


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a message; None leaves it as it is."""

    message_id: UUID
    is_visible: bool | None = None
    partition: str | None = None


@dataclass(frozen=True)
class MessageUpdates:
    """Changes what the owner of an e-Box may change: all that is asked for at once, or nothing.

    Raises `NotFound` and `PermissionMissing` as `Consulting` does. Messages that were sent cannot
    be changed: they are the recipient's.
    """

    partition_rights: PartitionRights
    audit_log: AuditLog
    federation: PartitionService
    now: Callable[[], datetime]

    def update(self, call: Call, ebox: Ebox, changes: Sequence[Change]) -> Sequence[Mark]:
        """Show, hide or move messages, each named once; as they then are, in the order asked.

        Moving needs the right to consult both partitions, and the target must exist: raises
        `Invalid` for each that does not (contract 6.7, 6.8). Asking again changes nothing. A
        message that somebody puts into a partition, be it its own, waits for no routing rule.
        """
        targets = [(at, change.partition) for at, change in enumerate(changes) if change.partition]
        if targets and ebox.kind is EboxKind.CITIZEN:
            fault = "is not for citizens, who have no partitions"
            raise Invalid(_issues(targets, fault, IssueKind.INVALID_INPUT))
        existing = self._existing(call.caller, ebox, targets)
        wanted = [change.message_id for change in changes]
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            there = message_updates.lock(connection, ebox, wanted, self.now())
            found = _permitted(wanted, there, rights, where="body")
            _check_targets(targets, rights, existing | rights.known)
            before = [_mark(message) for message in found]
            after = [_changed(*pair) for pair in zip(before, changes, strict=True)]
            changed = [new for old, new in zip(before, after, strict=True) if new != old]
            message_updates.update_all(connection, ebox, changed)
            self.audit_log.record(connection, call, ebox, details.describe_list(after))
        return after

    def execute_action(self, call: Call, ebox: Ebox, message_id: UUID) -> AnyRow:
        """Note that the message's action was executed, which happens once (contract 6.11)."""
        now = self.now()
        with self.partition_rights.opened(call.caller, ebox) as (connection, rights):
            found = message_updates.lock(connection, ebox, [message_id], now)
            (message,) = _permitted([message_id], found, rights, where="path")
            if message.action_id is None:
                raise NotFound("message_id", str(message_id), "The message has no action.")
            self.audit_log.record(connection, call, ebox, details.describe_message_id(message_id))
            if message.action_executed_at is None:
                return message_updates.execute_action(connection, ebox, message_id, now)
        return message

    def _existing(self, caller: Caller, ebox: Ebox, targets: Collection[Target]) -> frozenset[str]:
        """The partitions that exist, as far as must be asked; a person's rights know the others.

        No transaction is open while the federation is asked.
        """
        general = frozenset({GENERAL})
        if {partition for _, partition in targets} <= general:
            return general
        if not self.partition_rights.scopes.sees_whole(caller, ebox):
            return general
        return general | self.federation.partitions(EnterpriseNumber(ebox.number))


def _permitted(
    wanted: Iterable[UUID], found: Iterable[AnyRow], rights: Rights, *, where: str
) -> Sequence[AnyRow]:
    """The messages in the order wanted, if all are there and may be consulted; `where` in the
    request they are named.
    """
    there = {message.message_id: message for message in found}
    for message_id in wanted:
        if message_id not in there:
            raise NotFound("message_id", str(message_id), where=where)
    if not all(rights.allow(message.partition) for message in there.values()):
        raise PermissionMissing("The caller has no right on the partition of a message.")
    return [there[message_id] for message_id in wanted]


def _check_targets(targets: Collection[Target], rights: Rights, existing: frozenset[str]) -> None:
    unknown = [target for target in targets if target[1] not in existing]
    if unknown:
        kind = IssueKind.REFERENCED_RESOURCE_NOT_FOUND
        raise Invalid(_issues(unknown, "does not exist", kind))
    if not all(rights.allow(partition) for _, partition in targets):
        raise PermissionMissing("The caller has no right on the partition to move to.")


def _mark(message: AnyRow) -> Mark:
    return Mark(
        message.message_id, message.is_visible, message.partition, message.is_routing_pending
    )


def _changed(mark: Mark, change: Change) -> Mark:
    """The message as it will be."""
    return Mark(
        mark.message_id,
        mark.is_visible if change.is_visible is None else change.is_visible,
        change.partition or mark.partition,
        mark.is_routing_pending and change.partition is None,
    )


def _issues(targets: Iterable[Target], fault: str, kind: IssueKind) -> list[Issue]:
    """An issue for each target, naming the item that asks for it."""
    return [
        Issue("body", f"items[{at}].partition", f"items[{at}].partition {fault}", kind, partition)
        for at, partition in targets
    ]
