"""Updates of messages by the owner of their e-Box: show, hide, move, execute an action."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.errors import Invalid, Issue, IssueKind, NotFound, PermissionMissing
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.messages import MessageChange
from registry.domain.partitions import Rights
from registry.services.consultation.partition_rights import PartitionRights
from registry.store.consultation import message_updates
from registry.store.consultation.message_updates import (
    LockedMessage,
    MessageAction,
    MessageState,
)

Target = tuple[int, str]  # position of a change, and the partition that it moves a message to


@dataclass(frozen=True)
class MessageUpdates:
    """Changes messages as the owner of their e-Box may: all changes of one call, or none.

    Raises `NotFound` and `PermissionMissing` as `Consultation` does. Messages that were sent cannot
    be changed: they are the recipient's.
    """

    partition_rights: PartitionRights
    audit_log: AuditLog
    now: Callable[[], datetime]

    def update(
        self, call: Call, ebox: Ebox, changes: Sequence[MessageChange]
    ) -> Sequence[MessageState]:
        """Show, hide or move messages, each named once; give their new states in this order.

        Moving needs the right to consult both partitions, and the target must exist: raises
        `Invalid` for each that does not (contract 6.7, 6.8). A second call changes nothing. A
        message that somebody puts into a partition, be it its own, waits for no routing rule.
        """
        targets = [(at, change.partition) for at, change in enumerate(changes) if change.partition]
        if targets and ebox.kind is EboxKind.CITIZEN:
            fault = "is not for citizens, who have no partitions"
            raise Invalid(_make_issues(targets, fault, IssueKind.INVALID_INPUT))
        wanted = {partition for _, partition in targets}
        partitions = self.partition_rights.find_partitions(call.caller, ebox, wanted)
        message_ids = [change.message_id for change in changes]
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            locked_messages = message_updates.lock(connection, ebox, message_ids, self.now())
            messages = _check_messages(message_ids, locked_messages, rights, where="body")
            _check_targets(targets, rights, partitions | rights.existing)
            before = [message.state for message in messages]
            after = [_apply(*pair) for pair in zip(before, changes, strict=True)]
            differences = [new for old, new in zip(before, after, strict=True) if new != old]
            message_updates.update_all(connection, ebox, differences)
            self.audit_log.record(connection, call, ebox, details.describe_changes(before, after))
        return after

    def reset(self, call: Call, ebox: Ebox) -> None:
        """Put the e-Box back as before anybody read it, for certification (contract 6.29).

        All of it, whatever the partition; a message that was moved stays where it is.
        """
        with self.partition_rights.transactions(ebox) as connection:
            number = message_updates.reset(connection, ebox, self.now())
            self.audit_log.record(connection, call, ebox, details.describe_count("reset", number))

    def execute_action(self, call: Call, ebox: Ebox, message_id: UUID) -> MessageAction:
        """Note that the message's action was executed, which happens once (contract 6.11)."""
        now = self.now()
        with self.partition_rights.open_ebox(call.caller, ebox) as (connection, rights):
            locked_messages = message_updates.lock(connection, ebox, [message_id], now)
            (message,) = _check_messages([message_id], locked_messages, rights, where="path")
            if message.action.action_id is None:
                raise NotFound("message_id", str(message_id), "The message has no action.")
            was_executed = message.action.action_executed_at is not None
            description = details.describe_action(message_id, was_executed=was_executed)
            self.audit_log.record(connection, call, ebox, description)
            if not was_executed:
                return message_updates.execute_action(connection, ebox, message_id, now)
        return message.action


def _check_messages(
    message_ids: Iterable[UUID],
    locked_messages: Iterable[LockedMessage],
    rights: Rights,
    *,
    where: str,
) -> Sequence[LockedMessage]:
    """Put the messages in the order of their ids, if all are there and may be consulted.

    `where` is the part of the request that names them.
    """
    by_id = {message.state.message_id: message for message in locked_messages}
    for message_id in message_ids:
        if message_id not in by_id:
            raise NotFound("message_id", str(message_id), where=where)
    if not all(rights.allow(message.state.partition) for message in by_id.values()):
        raise PermissionMissing("The caller has no right on the partition of a message.")
    return [by_id[message_id] for message_id in message_ids]


def _check_targets(targets: Collection[Target], rights: Rights, partitions: frozenset[str]) -> None:
    unknown = [target for target in targets if target[1] not in partitions]
    if unknown:
        kind = IssueKind.REFERENCED_RESOURCE_NOT_FOUND
        raise Invalid(_make_issues(unknown, "does not exist", kind))
    if not all(rights.allow(partition) for _, partition in targets):
        raise PermissionMissing("The caller has no right on the partition to move to.")


def _apply(state: MessageState, change: MessageChange) -> MessageState:
    return MessageState(
        state.message_id,
        state.is_visible if change.is_visible is None else change.is_visible,
        change.partition or state.partition,
        state.is_routing_pending and change.partition is None,
    )


def _make_issues(targets: Iterable[Target], fault: str, kind: IssueKind) -> list[Issue]:
    """Make an issue for each target, naming its item of the request."""
    return [
        Issue("body", f"items[{at}].partition", f"items[{at}].partition {fault}", kind, partition)
        for at, partition in targets
    ]
