"""Plans of queries as PostgreSQL makes them, and whether the indexes that they need are there.

Nothing is executed: the statement that a function of the store is about to send is explained
instead, just as it is.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import Connection, event

from registry.store.schema import metadata


class QueryPlan(NamedTuple):
    """The indexes by which a query goes, as the tables have them, and tables that it reads whole.

    Of a table in partitions, the index and the table of the whole are named.
    """

    indexes: frozenset[str]
    tables_read_whole: frozenset[str]


class _PlanAtHand(Exception):
    """Ends a query before it is executed."""

    def __init__(self, plan: Any) -> None:
        super().__init__()
        self.plan = plan


def explain_query(connection: Connection, ask: Callable[[Connection], object]) -> QueryPlan:
    """Explain the first statement of `ask`, which never comes to execute it.

    Whole tables are read, and rows sorted, only where there is no index for it: so the plan is the
    same on an empty database as on a large one. It proves that the index is there, valid, and fit
    for the query; not that it is what the planner chooses at any size.
    """
    for name in ("enable_seqscan", "enable_sort", "enable_incremental_sort"):
        connection.exec_driver_sql(f"SET LOCAL {name} = off")
    event.listen(connection, "before_cursor_execute", _explain_instead)
    try:
        ask(connection)
    except _PlanAtHand as answer:
        plan = answer.plan
    else:
        raise LookupError("no statement was sent")
    finally:
        event.remove(connection, "before_cursor_execute", _explain_instead)
    nodes = list(_list_nodes(plan))
    wholes = _read_wholes(connection)
    indexes = {node["Index Name"] for node in nodes if "Index Name" in node}
    tables = {node["Relation Name"] for node in nodes if node["Node Type"].endswith("Seq Scan")}
    return QueryPlan(
        frozenset(wholes.get(name, name) for name in indexes),
        frozenset(wholes.get(name, name) for name in tables),
    )


def find_unfit_indexes(connection: Connection) -> frozenset[str]:
    """Find the indexes of our tables that are missing, or that PostgreSQL does not trust."""
    fit_names = read_index_definitions(connection)
    return frozenset(_list_our_indexes()) - set(fit_names)


def read_index_definitions(connection: Connection) -> Mapping[str, str]:
    """Read how each index beside our tables was made, of those that PostgreSQL trusts."""
    rows = connection.exec_driver_sql(
        "SELECT c.relname, pg_get_indexdef(c.oid)"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indisvalid AND i.indisready AND c.relnamespace ="
        " (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('messages'))"
    )
    return dict(tuple(row) for row in rows)


def _list_our_indexes() -> Iterator[str]:
    for table in metadata.tables.values():
        yield from (str(index.name) for index in table.indexes)
        if table.primary_key.columns and table.info.get("has_key", True):
            yield str(table.primary_key.name or f"pk_{table.name}")


def _explain_instead(
    _connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any
) -> NoReturn:
    cursor.execute("EXPLAIN (FORMAT JSON) " + statement, parameters)
    (plan,) = cursor.fetchone()
    raise _PlanAtHand(json.loads(plan) if isinstance(plan, str | bytes) else plan)


def _list_nodes(plan: Any) -> Iterator[dict[str, Any]]:
    waiting = [entry["Plan"] for entry in plan]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.get("Plans", ())


def _read_wholes(connection: Connection) -> Mapping[str, str]:
    """Read of which whole each partition is, of tables and of their indexes."""
    rows = connection.exec_driver_sql(
        "SELECT part.relname, whole.relname FROM pg_inherits i"
        " JOIN pg_class part ON part.oid = i.inhrelid"
        " JOIN pg_class whole ON whole.oid = i.inhparent"
    )
    return dict(tuple(row) for row in rows)
