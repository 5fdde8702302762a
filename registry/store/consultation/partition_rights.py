"""Rights on partitions, as the federation last told them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Table, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from registry.domain.identifiers import Ebox, Ssin
from registry.domain.partitions import Rights
from registry.store.schema import BY_EBOX, INSTANT, ebox_column, metadata

partition_rights = Table(
    "partition_rights",
    metadata,
    ebox_column(),
    Column("ssin", Text, primary_key=True),
    Column("readable", ARRAY(Text), nullable=False),
    Column("known", ARRAY(Text), nullable=False),  # the e-Box's partitions, readable or not
    Column("fetched_at", INSTANT, nullable=False),
    postgresql_partition_by=BY_EBOX,
)


@dataclass(frozen=True, slots=True)
class StoredRights:
    """A person's rights on one e-Box, and when the federation told them."""

    rights: Rights
    fetched_at: datetime


def find_rights(connection: Connection, ebox: Ebox, person: Ssin) -> StoredRights | None:
    """Find what the federation last told of a person's rights."""
    row = connection.execute(
        select(
            partition_rights.c.readable, partition_rights.c.known, partition_rights.c.fetched_at
        ).where(partition_rights.c.ebox == ebox, partition_rights.c.ssin == person.digits)
    ).one_or_none()
    if row is None:
        return None
    readable, existing, fetched_at = row
    return StoredRights(Rights(frozenset(readable), frozenset(existing)), fetched_at)


def keep_rights(
    connection: Connection, ebox: Ebox, person: Ssin, rights: Rights, *, now: datetime
) -> None:
    """Keep a person's rights, in place of those from before."""
    columns = {
        "readable": sorted(rights.readable or ()),
        "known": sorted(rights.existing),
        "fetched_at": now,
    }
    connection.execute(
        insert(partition_rights)
        .values(ebox=ebox, ssin=person.digits, **columns)
        .on_conflict_do_update(constraint="pk_partition_rights", set_=columns)
    )
