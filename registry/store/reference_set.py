"""All reference data at once: read as a set, and made into another, as the owner of the tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from registry.domain.reference_set import (
    EntryName,
    ReferenceAction,
    ReferenceApplication,
    ReferenceChange,
    ReferenceKind,
    ReferenceLogo,
    ReferenceOrganization,
    ReferenceSet,
    ReferenceTemplate,
    ReferenceType,
    Sending,
)
from registry.store.reference import (
    images,
    make_folded_texts,
    message_templates,
    message_types,
    sender_applications,
    sender_configurations,
    sender_organizations,
)

# Entries are added in this order and removed in the opposite one: they refer to those before them.
_TABLES: Final[Mapping[ReferenceKind, Table]] = {
    ReferenceKind.ORGANIZATION: sender_organizations,
    ReferenceKind.APPLICATION: sender_applications,
    ReferenceKind.MESSAGE_TYPE: message_types,
    ReferenceKind.TEMPLATE: message_templates,
    ReferenceKind.SENDING: sender_configurations,
}
# The texts by which search finds the messages of an entry (contract 4.3).
_FOLDED: Final[Mapping[ReferenceKind, Sequence[str]]] = {
    ReferenceKind.ORGANIZATION: ("short_name", "long_name"),
    ReferenceKind.APPLICATION: ("name", "description"),
    ReferenceKind.MESSAGE_TYPE: ("name", "description"),
}
_OWNERS: Final = (ReferenceKind.ORGANIZATION, ReferenceKind.APPLICATION)  # of logos
_LIMIT_WAITS: Final = text("SET LOCAL lock_timeout = '60s'")
# No lock of a table, which readers would wait for: only another import does.
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtext('reference_data'))")


def wait_for_imports(connection: Connection) -> None:
    """Let one import after the other change the data, until the transaction ends."""
    connection.execute(_LIMIT_WAITS)
    connection.execute(_LOCK)


def read_set(connection: Connection) -> ReferenceSet:
    """Read everything."""
    logos = _read_logos(connection)
    organizations = _read_rows(connection, sender_organizations)
    applications = _read_rows(connection, sender_applications)
    return ReferenceSet(
        organizations={
            key: ReferenceOrganization(**row, logos=logos.get(("organization", key), {}))
            for key, row in organizations.items()
        },
        applications={
            key: ReferenceApplication(**row, logos=logos.get(("application", key), {}))
            for key, row in applications.items()
        },
        message_types={
            key: ReferenceType(**row) for key, row in _read_rows(connection, message_types).items()
        },
        templates={
            key: ReferenceTemplate(**row)
            for key, row in _read_rows(connection, message_templates).items()
        },
        sendings=frozenset(
            Sending(*row)
            for row in connection.execute(
                select(
                    sender_configurations.c.organization_id,
                    sender_configurations.c.application_id,
                    sender_configurations.c.message_type_id,
                )
            )
        ),
    )


def write_changes(
    connection: Connection, new: ReferenceSet, changes: Iterable[ReferenceChange]
) -> None:
    """Make the data those of `new`; `changes` is all that is not so yet."""
    additions: dict[ReferenceKind, list[str]] = {kind: [] for kind in _TABLES}
    removals: dict[ReferenceKind, list[str]] = {kind: [] for kind in _TABLES}
    for change in changes:
        group = removals if change.action is ReferenceAction.REMOVE else additions
        group[change.name.kind].append(change.name.identifier)
    for kind, identifiers in additions.items():
        for identifier in identifiers:
            _write_entry(connection, new, EntryName(kind, identifier))
    for kind, identifiers in reversed(removals.items()):
        if identifiers:
            _delete_entries(connection, kind, identifiers)


def _read_rows(connection: Connection, table: Table) -> dict[str, dict[str, Any]]:
    """Read the rows of a table by their id; columns have the names of our members."""
    (key,) = table.primary_key
    columns = [column for column in table.c if not column.name.startswith("folded_")]
    rows = connection.execute(select(*columns).order_by(key)).mappings()
    return {
        row[key]: {name: value for name, value in row.items() if name != key.name} for row in rows
    }


def _read_logos(connection: Connection) -> dict[tuple[str, str], dict[str, ReferenceLogo]]:
    logos: dict[tuple[str, str], dict[str, ReferenceLogo]] = {}
    for row in connection.execute(select(images)):
        logo = ReferenceLogo(media_type=row.media_type, content=row.content, language=row.language)
        logos.setdefault((row.owner_kind, row.owner_id), {})[row.image_id] = logo
    return logos


def _write_entry(connection: Connection, new: ReferenceSet, name: EntryName) -> None:
    table = _TABLES[name.kind]
    if name.kind is ReferenceKind.SENDING:
        connection.execute(insert(table).values(_split_sending(name.identifier)))
        return
    (key,) = table.primary_key
    row = _make_row(new, name)
    statement = upsert(table).values({key.name: name.identifier, **row})
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=row))
    if name.kind in _OWNERS:
        _write_logos(connection, new, name)


def _make_row(new: ReferenceSet, name: EntryName) -> dict[str, Any]:
    entries: Mapping[ReferenceKind, Mapping[str, Any]] = {
        ReferenceKind.ORGANIZATION: new.organizations,
        ReferenceKind.APPLICATION: new.applications,
        ReferenceKind.MESSAGE_TYPE: new.message_types,
        ReferenceKind.TEMPLATE: new.templates,
    }
    entry = entries[name.kind][name.identifier]
    row = {field.name: getattr(entry, field.name) for field in fields(entry)}
    row.pop("logos", None)
    texts = [row[member] for member in _FOLDED.get(name.kind, ())]
    return {**row, **make_folded_texts(*texts)} if texts else row


def _write_logos(connection: Connection, new: ReferenceSet, name: EntryName) -> None:
    """Replace the logos of an owner, which are few and small."""
    _delete_logos(connection, name.kind, [name.identifier])
    owners: Mapping[str, ReferenceOrganization | ReferenceApplication] = (
        new.organizations if name.kind is ReferenceKind.ORGANIZATION else new.applications
    )
    for image_id, logo in owners[name.identifier].logos.items():
        connection.execute(
            insert(images).values(
                owner_kind=name.kind.value,
                owner_id=name.identifier,
                image_id=image_id,
                media_type=logo.media_type,
                language=logo.language,
                content=logo.content,
            )
        )


def _delete_entries(
    connection: Connection, kind: ReferenceKind, identifiers: Sequence[str]
) -> None:
    table = _TABLES[kind]
    if kind is ReferenceKind.SENDING:
        key = tuple_(*(table.c[name] for name in Sending._fields))
        sendings = [tuple(identifier.split(" ")) for identifier in identifiers]
        connection.execute(delete(table).where(key.in_(sendings)))
        return
    if kind in _OWNERS:
        _delete_logos(connection, kind, identifiers)
    (column,) = table.primary_key
    connection.execute(delete(table).where(column.in_(identifiers)))


def _delete_logos(connection: Connection, kind: ReferenceKind, owners: Sequence[str]) -> None:
    connection.execute(
        delete(images).where(images.c.owner_kind == kind.value, images.c.owner_id.in_(owners))
    )


def _split_sending(identifier: str) -> dict[str, str]:
    return Sending(*identifier.split(" "))._asdict()
