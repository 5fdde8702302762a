"""Broadcasts: what each still owes, and how it is filed; `ebox` is the sender's.

A row is also the claim of an idempotency key, which lasts as long as the sender's message.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from registry.domain.identifiers import Ebox
from registry.domain.routing import Rule
from registry.store.schema import BY_EBOX, INSTANT, EboxKey, Records, ebox_column, metadata

# `recipients` are those that can be, `links` their number, `filed` how many of them, from the
# first, have the message; when all have, the list is emptied: nobody needs it any more.
broadcasts = Table(
    "broadcasts",
    metadata,
    ebox_column(),
    Column("broadcast_id", Uuid, primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("message_type_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),  # '' for none, as in `sent_messages`
    Column("idempotency_key", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("recipients", ARRAY(Text), nullable=False),
    Column("refusals", ARRAY(Text), nullable=False),
    Column("links", Integer, nullable=False),
    Column("filed", Integer, nullable=False, server_default=text("0")),
    # By the database's clock, one for all who may go on with it.
    Column("moved_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("finished_at", INSTANT),
    Column("trace", Text),  # of the first call that asked for it (W3C Trace Context)
    UniqueConstraint("ebox", "application_id", "idempotency_key", name="uq_broadcasts_key"),
    ForeignKeyConstraint(
        ["ebox", "message_id"],
        ["sent_messages.ebox", "sent_messages.message_id"],
        name="fk_broadcasts_ebox",
        ondelete="CASCADE",
    ),
    Index(None, "ebox", "message_id"),
    Index("ix_broadcasts_unfinished", "moved_at", postgresql_where=text("finished_at IS NULL")),
    postgresql_partition_by=BY_EBOX,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastOrder:
    """A broadcast that is asked for; `digest` is of the e-Boxes that the request names.

    `recipients` are those of them that can be, `refusals` the others.
    """

    message_id: UUID
    recipients: Sequence[Ebox]
    refusals: Sequence[Ebox]
    digest: bytes
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedBroadcast:
    """A broadcast that will be filed, whoever does it; `links` is the number of its recipients."""

    broadcast_id: UUID
    message_id: UUID
    digest: bytes
    links: int
    refusals: tuple[Ebox, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The recipients whose turn it is, behind `position`, and the rules that are known.

    None are left when the broadcast is finished.
    """

    broadcast_id: UUID
    message_id: UUID
    message_type_id: str
    application_id: str | None
    position: int
    recipients: Sequence[Ebox]
    rules: Mapping[Ebox, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One more e-Box for a message, and its partition there; `event_id` is of its new event."""

    recipient: Ebox
    partition: str | None
    is_pending: bool
    event_id: UUID


class StalledBroadcast(NamedTuple):
    """A broadcast with which nobody has gone on for a while."""

    sender: Ebox
    broadcast_id: UUID


def record(
    connection: Connection, order: BroadcastOrder, now: datetime
) -> RecordedBroadcast | None:
    """Record a broadcast of the named e-Box's owner, and claim its idempotency key.

    When he has used the key before, nothing is recorded and the broadcast of that time is given;
    None for any message but his own. Another transaction that is about to use the key is waited
    for.
    """
    # A function of the database looks, because the message is where its first recipient has it.
    function = func.record_broadcast(
        order.message_id,
        literal([ebox.key for ebox in order.recipients], ARRAY(Text)),
        literal([ebox.key for ebox in order.refusals], ARRAY(Text)),
        order.digest,
        order.key,
        now,
    ).table_valued(
        Column("broadcast", Uuid),
        Column("of_message", Uuid),
        Column("of_asked", LargeBinary),
        Column("linked", Integer),
        Column("refusals", ARRAY(EboxKey)),
        Column("expires", INSTANT),
    )
    row = connection.execute(select(function)).one_or_none()
    if row is None:
        return None
    return RecordedBroadcast(
        broadcast_id=row.broadcast,
        message_id=row.of_message,
        digest=row.of_asked,
        links=row.linked,
        refusals=tuple(row.refusals),
        expires_at=row.expires,
    )


def find_chunk(connection: Connection, broadcast_id: UUID, size: int) -> Chunk | None:
    """Find the next recipients of a broadcast of the named e-Box's owner; None if it is gone."""
    values = {"broadcast_id": broadcast_id, "size": size}
    return _read_chunk(connection.execute(_FIND, values).one_or_none())


def file_chunk(
    connection: Connection, chunk: Chunk, links: Sequence[Link], size: int, now: datetime
) -> Chunk | None:
    """Put the message into these e-Boxes, unless they have it; gives the next chunk.

    None, and nothing is done, when somebody else has filed the chunk meanwhile or stopped the
    broadcast. Another who files it at this moment is waited for.
    """
    # Arrays, one for each column: a thousand links are one statement with few parameters.
    values = {
        "broadcast_id": chunk.broadcast_id,
        "position": chunk.position,
        "count": len(links),
        "size": size,
        "recipients": [each.recipient.key for each in links],
        "partitions": [each.partition for each in links],
        "pending": [each.is_pending for each in links],
        "events": [each.event_id for each in links],
        "now": now,
    }
    return _read_chunk(connection.execute(_FILE, values).one_or_none())


def find_stalled(
    connection: Connection, *, patience: timedelta, limit: int
) -> Sequence[StalledBroadcast]:
    """Find broadcasts that nobody has moved for this time; for the worker, who sees every e-Box.

    In random order, so that one that cannot be filed does not hold up the others.
    """
    rows = connection.execute(
        select(broadcasts.c.ebox, broadcasts.c.broadcast_id)
        .where(
            broadcasts.c.finished_at.is_(None),
            broadcasts.c.moved_at < func.clock_timestamp() - patience,
        )
        .order_by(func.random())
        .limit(limit)
    )
    return [StalledBroadcast(*row) for row in rows]


def is_underway(connection: Connection, sender: Ebox, message_id: UUID) -> bool:
    """Tell whether a broadcast of the message has e-Boxes left that are to get it."""
    row = select(broadcasts.c.broadcast_id).where(*_is_unfinished(sender, message_id))
    return connection.execute(row).first() is not None


def stop(connection: Connection, sender: Ebox, message_id: UUID, now: datetime) -> int:
    """Have nobody get the message any more; gives the number of broadcasts that are cut short.

    A chunk that is being filed is waited for. Whoever files another finds nothing left.
    """
    return connection.execute(
        update(broadcasts)
        .where(*_is_unfinished(sender, message_id))
        .values(recipients=[], finished_at=now)
    ).rowcount


def _is_unfinished(sender: Ebox, message_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        broadcasts.c.ebox == sender,
        broadcasts.c.message_id == message_id,
        broadcasts.c.finished_at.is_(None),
    )


def _read_chunk(row: Row[Any] | None) -> Chunk | None:
    if row is None:
        return None
    members = row._asdict()
    return Chunk(**members | {"rules": dict(members["rules"])})


def _read_rules(key: str, rules: Iterable[Mapping[str, Any]]) -> tuple[Ebox, tuple[Rule, ...]]:
    return Ebox.from_key(key), tuple(Rule(**members) for members in rules)


_COLUMNS: Final[Mapping[str, TypeEngine[Any]]] = {
    "recipients": ARRAY(EboxKey),
    "rules": Records(_read_rules),
}
# Both give a chunk with its rules, which would else cost each chunk a round trip more.
_FIND: Final = text("""
SELECT b.broadcast_id, b.message_id, b.message_type_id,
  nullif(b.application_id, '') AS application_id, b.filed AS position, b.recipients, known.rules
FROM (
  SELECT broadcast_id, message_id, message_type_id, application_id, filed,
    recipients[filed + 1 : filed + :size] AS recipients
  FROM broadcasts
  WHERE ebox = current_setting('registry.ebox', true) AND broadcast_id = :broadcast_id
) b CROSS JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_array(owner, r.rules)) AS rules FROM rules_of(b.recipients) r
) known
""").columns(**_COLUMNS)
# The trace is named before the function adds events, which needs what naming gives.
# The row is locked by its change, and changes only from the state that the chunk was found in: of
# two who file the same chunk the second waits for the first, and then finds it filed.
_FILE: Final = text("""
WITH moved AS (
  UPDATE broadcasts SET filed = filed + :count, moved_at = clock_timestamp(),
    finished_at = CASE WHEN filed + :count = links THEN CAST(:now AS timestamptz) END,
    recipients = CASE WHEN filed + :count = links THEN '{}' ELSE recipients END
  WHERE ebox = current_setting('registry.ebox', true) AND broadcast_id = :broadcast_id
    AND filed = :position AND finished_at IS NULL
  RETURNING broadcast_id, message_id, message_type_id, application_id, filed, trace,
    recipients[filed + 1 : filed + :size] AS recipients
), linked AS (
  SELECT count(*) FROM moved CROSS JOIN LATERAL (
    SELECT set_config('registry.trace', coalesce(moved.trace, ''), true)
  ) named CROSS JOIN LATERAL link_message(
    CASE WHEN named.set_config IS NOT NULL THEN moved.message_id END,
    CAST(:recipients AS text[]), CAST(:partitions AS text[]), CAST(:pending AS boolean[]),
    CAST(:events AS uuid[]), CAST(:now AS timestamptz))
)
SELECT b.broadcast_id, b.message_id, b.message_type_id,
  nullif(b.application_id, '') AS application_id, b.filed AS position, b.recipients, known.rules
FROM moved b CROSS JOIN linked CROSS JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_array(owner, r.rules)) AS rules FROM rules_of(b.recipients) r
) known
""").columns(**_COLUMNS)
