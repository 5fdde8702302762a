"""All that an e-Box has, read and put back as rows: for its owner, or for another registry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Connection, Table, Uuid, bindparam, select, text

from registry.domain.identifiers import Ebox, EboxKind
from registry.store.consultation.messages import add, attachments, messages
from registry.store.publication.sent_messages import sent_messages
from registry.store.schema import INSTANT, EboxKey
from registry.store.transactions import name_ebox

_PAGE: Final = 500  # messages that a server-side cursor hands over at once


class UnknownColumn(ValueError):
    """The rows have a column that the tables of this registry do not, or a value it cannot take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRows:
    """A message of an e-Box as JSON has it: columns and values of its rows.

    `sender_row` is what its sender finds it by, None where that is gone.
    """

    message: Mapping[str, Any]
    attachments: Sequence[Mapping[str, Any]]
    sender_row: Mapping[str, Any] | None

    @property
    def message_id(self) -> UUID:
        """The id of the message."""
        return UUID(self.message["message_id"])


def read_letters(connection: Connection, ebox: Ebox) -> Iterator[LetterRows]:
    """Read all messages of an e-Box with all their columns, the oldest first."""
    options = {"yield_per": _PAGE}
    with connection.execute(_QUERY, {"of_ebox": ebox}, execution_options=options) as rows:
        for message, files, sender_row in rows:
            yield LetterRows(message=message, attachments=files, sender_row=sender_row)


def add_letter(connection: Connection, ebox: Ebox, letter: LetterRows) -> None:
    """Put a message into an e-Box as it was in another registry, and among those of its sender.

    The transaction names the e-Box from here on. Raises `UnknownColumn`.
    """
    message = _read_values(messages, letter.message)
    files = [_read_values(attachments, each) for each in letter.attachments]
    if letter.sender_row is not None:
        sender = Ebox(EboxKind.ENTERPRISE, message["sender"])
        values = _read_values(sent_messages, letter.sender_row)
        name_ebox(connection, sender)
        connection.execute(_ADD_SENT, {**_NO_SENT, **values, "ebox": sender})
    name_ebox(connection, ebox)
    add(connection, ebox, message, files)


def find_present(connection: Connection, ebox: Ebox, message_ids: Sequence[UUID]) -> set[UUID]:
    """Find which of these messages an e-Box has already."""
    query = select(messages.c.message_id).where(
        messages.c.ebox == ebox, messages.c.message_id.in_(message_ids)
    )
    return set(connection.scalars(query))


def find_unknown_references(
    connection: Connection, references: Mapping[str, set[str]]
) -> Sequence[str]:
    """Find what is not among the reference data here, of ids by the column that refers to them."""
    unknown: list[str] = []
    for column, (title, query) in _REFERENCES.items():
        ids = references.get(column, set())
        known_ids = set(connection.scalars(query, {"ids": list(ids)}))
        unknown += [f"{title} {each}" for each in sorted(ids - known_ids)]
    return unknown


def _read_values(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in row.items():
        column = table.c.get(name)
        if column is None:
            raise UnknownColumn(f"There is no column {table.name}.{name} here.")
        values[name] = None if value is None else _read_value(column, value)
    return values


def _read_value(column: Column[Any], value: Any) -> Any:
    """Read a value that JSON writes as text, as its column takes it."""
    try:
        if column.type is INSTANT:
            return datetime.fromisoformat(value)
        if isinstance(column.type, Uuid):
            return UUID(value)
        if isinstance(column.type, EboxKey):
            return Ebox.from_key(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise UnknownColumn(f"{column.table.name}.{column.name} has no such value.") from error
    return value


_QUERY: Final = text("""
SELECT to_jsonb(m) - '{ebox,withdrawn_at,original_expires_at}'::text[],
  coalesce((SELECT jsonb_agg(to_jsonb(a) - '{ebox,message_id,position,fault}'::text[]
      ORDER BY a.position)
    FROM attachments a WHERE a.ebox = m.ebox AND a.message_id = m.message_id), '[]'),
  (SELECT to_jsonb(s) - '{ebox,idempotency_key}'::text[] FROM sent_messages s
    WHERE s.ebox = 'enterprise:' || m.sender AND s.message_id = m.message_id)
-- What was withdrawn is its owner's no more.
FROM messages m WHERE m.ebox = :of_ebox AND m.withdrawn_at IS NULL
ORDER BY m.received_at, m.message_id
""").bindparams(bindparam("of_ebox", type_=EboxKey))
# The key of idempotency stays behind: it is the claim of a call to the other registry.
_NO_SENT: Final = {"application_id": ""}
_ADD_SENT: Final = text("""
INSERT INTO sent_messages (ebox, message_id, partition, recipient, application_id)
VALUES (:ebox, :message_id, :partition, :recipient, :application_id) ON CONFLICT DO NOTHING
""").bindparams(bindparam("ebox", type_=EboxKey), bindparam("recipient", type_=EboxKey))
_REFERENCES: Final = {
    "message_type_id": (
        "message type",
        text("SELECT message_type_id FROM message_types WHERE message_type_id = ANY(:ids)"),
    ),
    "sender_application_id": (
        "application",
        text("SELECT application_id FROM sender_applications WHERE application_id = ANY(:ids)"),
    ),
    "message_template_id": (
        "template",
        text(
            "SELECT message_template_id FROM message_templates"
            " WHERE message_template_id = ANY(:ids)"
        ),
    ),
    "sender": (
        "organization",
        text("SELECT organization_id FROM sender_organizations WHERE organization_id = ANY(:ids)"),
    ),
}
