"""Messages that refer to reference data, in every e-Box: the owner of the tables sees them all."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Column, Connection, func, select, text

from registry.domain.reference_set import EntryName, ReferenceKind
from registry.store.consultation.messages import messages

_EXAMPLES: Final = 3  # messages that are named of each entry
_COLUMNS: Final[Mapping[ReferenceKind, Column[str]]] = {
    ReferenceKind.ORGANIZATION: messages.c.sender,
    ReferenceKind.APPLICATION: messages.c.sender_application_id,
    ReferenceKind.MESSAGE_TYPE: messages.c.message_type_id,
    ReferenceKind.TEMPLATE: messages.c.message_template_id,
}
# A role that row-level security binds would see no message and count none: then this is an error.
_SEE_ALL: Final = text("SET LOCAL row_security = off")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceUse:
    """Messages that refer to an entry: how many, when the last one expires, and some of them.

    Expired ones count until the purge has deleted them.
    """

    name: EntryName
    count: int
    last_expiry: datetime
    message_ids: tuple[UUID, ...]


def find_uses(connection: Connection, names: Collection[EntryName]) -> tuple[ReferenceUse, ...]:
    """Find which of these entries messages refer to; reads all messages, since no index serves."""
    connection.execute(_SEE_ALL)
    return tuple(
        use
        for kind, column in _COLUMNS.items()
        if (identifiers := [name.identifier for name in names if name.kind is kind])
        for use in _find_uses(connection, kind, column, identifiers)
    )


def _find_uses(
    connection: Connection, kind: ReferenceKind, column: Column[str], identifiers: list[str]
) -> Iterator[ReferenceUse]:
    total = func.count().label("total")
    last_expiry = func.max(messages.c.expires_at).label("last_expiry")
    query = select(column.label("identifier"), total, last_expiry)
    for row in connection.execute(query.where(column.in_(identifiers)).group_by(column)).all():
        examples = select(messages.c.message_id).where(column == row.identifier).limit(_EXAMPLES)
        yield ReferenceUse(
            name=EntryName(kind, row.identifier),
            count=row.total,
            last_expiry=row.last_expiry,
            message_ids=tuple(connection.scalars(examples)),
        )
