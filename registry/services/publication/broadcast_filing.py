"""Filing of broadcasts, chunk by chunk, each in a short transaction of its own (ADR 022)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from registry.audit import details
from registry.audit.log import AuditLog
from registry.domain.errors import SenderSuspended, Unavailable
from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.partitions import GENERAL
from registry.domain.routing import Rule, route
from registry.store.publication import broadcasts
from registry.store.publication.broadcasts import Chunk, Link, StalledBroadcast
from registry.store.transactions import Transactions

_STALLED: Final = 100  # broadcasts that one run of the worker looks for


@dataclass(frozen=True)
class BroadcastFiling:
    """Puts recorded broadcasts into the e-Boxes that lack them, whoever has recorded them.

    Any number may file one broadcast at once: each chunk of `size` recipients is filed by one of
    them. `patience` is how long nobody has moved a broadcast when the worker goes on with it.
    """

    transactions: Transactions
    audit_log: AuditLog
    now: Callable[[], datetime]
    size: int = 1000
    patience: timedelta = timedelta(seconds=30)

    def finish(self, connection: Connection, sender: Ebox, broadcast_id: UUID) -> None:
        """File all that is missing; commits what was done before, and all but the last chunk."""
        self.transactions.renew(connection, sender)
        chunk = self._find(connection, broadcast_id)
        while chunk.recipients:
            following = self._file(connection, sender, chunk)
            if following is None:
                following = self._find(connection, broadcast_id)
            if following.recipients:
                self.transactions.renew(connection, sender)
            chunk = following

    def resume_all(self) -> Iterator[int]:
        """File what others have left unfinished; gives the number of recipients of each chunk."""
        with self.transactions() as connection:
            stalled_broadcasts = broadcasts.find_stalled(
                connection, patience=self.patience, limit=_STALLED
            )
        for broadcast in stalled_broadcasts:
            with suppress(SenderSuspended):  # it waits until its sender is resumed
                while count := self._resume(broadcast):
                    yield count

    def _resume(self, broadcast: StalledBroadcast) -> int:
        """File one chunk; 0 when none is left. Its entry tells that the caller did not wait."""
        with self.transactions(broadcast.sender) as connection:
            chunk = self._find(connection, broadcast.broadcast_id)
            if not chunk.recipients:
                return 0
            if self._file(connection, broadcast.sender, chunk) is not None:
                facts = details.describe_resumption(chunk.message_id, len(chunk.recipients))
                self.audit_log.note(connection, "broadcast", facts, ebox=broadcast.sender)
        return len(chunk.recipients)

    def _find(self, connection: Connection, broadcast_id: UUID) -> Chunk:
        chunk = broadcasts.find_chunk(connection, broadcast_id, self.size)
        if chunk is None:  # the purge leaves what is unfinished; only an operator takes it away
            raise Unavailable("The broadcast is no longer there.")
        return chunk

    def _file(self, connection: Connection, sender: Ebox, chunk: Chunk) -> Chunk | None:
        """File a chunk, and give the next one; None when somebody else has filed it."""
        links = [
            Link(
                recipient=ebox,
                partition=_choose_partition(ebox, sender, chunk),
                # Without rules the message waits for them in GENERAL (contract 6.18).
                is_pending=ebox.kind is EboxKind.ENTERPRISE and ebox not in chunk.rules,
                event_id=Event(EventType.NEW_DOCUMENT, ebox, chunk.message_id).correlation_id,
            )
            for ebox in chunk.recipients
        ]
        return broadcasts.file_chunk(connection, chunk, links, self.size, self.now())


def _choose_partition(ebox: Ebox, sender: Ebox, chunk: Chunk) -> str | None:
    if ebox.kind is EboxKind.CITIZEN:  # who has no partitions (contract 4.15)
        return None
    rules: tuple[Rule, ...] | None = chunk.rules.get(ebox)
    if rules is None:
        return GENERAL
    return route(
        rules,
        message_type_id=chunk.message_type_id,
        sender_application_id=chunk.application_id,
        sender_organization_id=sender.number,
    )
