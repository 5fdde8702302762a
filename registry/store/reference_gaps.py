"""Gaps of the reference data: catalogues with nothing in them, texts that lack a language."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, func, select

from registry.domain.languages import LANGUAGES
from registry.store.reference import (
    message_templates,
    message_types,
    sender_applications,
    sender_configurations,
    sender_organizations,
)


class ReferenceGaps(NamedTuple):
    """The number of entries of each catalogue, and texts that lack a language, by their place."""

    counts: dict[str, int]
    texts: tuple[str, ...]


_TEXTS: Final[dict[Table, tuple[str, ...]]] = {
    message_types: ("name", "description"),
    sender_applications: ("name", "description"),
    sender_organizations: ("short_name", "long_name"),
    message_templates: ("name",),
}
_NEEDED: Final = (message_types, sender_applications, sender_organizations, sender_configurations)


def find_reference_gaps(connection: Connection) -> ReferenceGaps:
    """Find them; for any role, since reference data are of no e-Box."""
    counts = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in _NEEDED
    }
    texts: list[str] = []
    for table, columns in _TEXTS.items():
        (key,) = table.primary_key.columns
        rows = connection.execute(select(key, *(table.c[name] for name in columns)).order_by(key))
        for identifier, *values in rows:
            texts += [
                f"{table.name} {identifier}: {name} ({', '.join(missing)})"
                for name, value in zip(columns, values, strict=True)
                if value and (missing := [each for each in LANGUAGES if not value.get(each)])
            ]
    return ReferenceGaps(counts, tuple(texts))
