"""Partitions and the rights on them, as the federation last told us."""

from datetime import datetime

from sqlalchemy import Column, Connection, Table, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from registry.domain.identifiers import Ebox, Ssin
from registry.domain.partitions import Rights
from registry.store.schema import BY_EBOX, INSTANT, AnyRow, ebox_column, metadata

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


def rights_of(connection: Connection, ebox: Ebox, person: Ssin) -> AnyRow | None:
    """What was last heard of a person's rights: `readable`, `known`, `fetched_at`."""
    return connection.execute(
        select(
            partition_rights.c.readable, partition_rights.c.known, partition_rights.c.fetched_at
        ).where(partition_rights.c.ebox == ebox, partition_rights.c.ssin == person.digits)
    ).one_or_none()


def keep_rights(
    connection: Connection, ebox: Ebox, person: Ssin, rights: Rights, *, now: datetime
) -> None:
    """Remember a person's rights, in place of what was known before."""
    heard = {
        "readable": sorted(rights.readable or ()),
        "known": sorted(rights.known),
        "fetched_at": now,
    }
    connection.execute(
        insert(partition_rights)
        .values(ebox=ebox, ssin=person.digits, **heard)
        .on_conflict_do_update(constraint="pk_partition_rights", set_=heard)
    )
