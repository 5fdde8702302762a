"""Figures of the tables: how large they are, and how much waits in those that are queues."""

from typing import NamedTuple

from sqlalchemy import Connection


class TableSize(NamedTuple):
    """The size of a table with its indexes and partitions, in bytes; its rows are an estimate."""

    name: str
    size: int
    rows: int


class QueueDepths(NamedTuple):
    """The number of rows that wait: events, dead events, erasures, noted uploads, broadcasts."""

    events: int
    dead_events: int
    erasures: int
    uploads: int
    broadcasts: int


def read_table_sizes(connection: Connection) -> list[TableSize]:
    """Read the sizes of all tables of ours, the largest first; partitions count for their whole."""
    rows = connection.exec_driver_sql(
        "SELECT coalesce(w.relname, c.relname) AS name,"
        " sum(pg_total_relation_size(c.oid))::bigint,"
        " sum(greatest(c.reltuples, 0))::bigint"
        " FROM pg_class c"
        " LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class w ON w.oid = i.inhparent"
        " WHERE c.relkind = 'r' AND c.relnamespace ="
        " (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('messages'))"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [TableSize(*row) for row in rows]


def read_queue_depths(connection: Connection) -> QueueDepths:
    """Read how much waits in each queue; for the worker's role."""
    row = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM outbox WHERE state = 'waiting'),"
        " (SELECT count(*) FROM outbox WHERE state = 'dead'),"
        " (SELECT count(*) FROM doomed_documents),"
        " (SELECT count(*) FROM upload_notes),"
        " (SELECT count(*) FROM broadcasts WHERE finished_at IS NULL)"
    ).one()
    return QueueDepths(*row)
