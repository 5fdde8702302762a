"""Checks inside the database: its indexes, and by which of them the hot queries go."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from registry.audit.store import entries
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.languages import LANGUAGES
from registry.domain.queries import MessageQuery
from registry.domain.report_lines import Grade, ReportLine
from registry.store.consultation import messages
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.consultation.message_list import read_page
from registry.store.events import delivery
from registry.store.query_plans import (
    QueryPlan,
    explain_query,
    find_unfit_indexes,
    read_index_definitions,
)
from registry.store.retention.purge import delete_expired
from registry.store.transactions import Transactions

# Of no enterprise, since its check digits do not fit: no letter can ever be in it.
CANARY: Final = Ebox(EboxKind.ENTERPRISE, "0000000000")
INDEXES: Final = "indexes"
SEARCH: Final = "plan of the search"
_REMEDY: Final = (
    "Make it again as the revisions do (registry/migrations), as the owner and CONCURRENTLY;"
    " REINDEX INDEX CONCURRENTLY mends one that is there and not trusted."
)
_LEASE: Final = timedelta(minutes=1)


class HotQuery(NamedTuple):
    """A query that must be fast at any size, and the indexes by which it goes.

    `keys` are primary keys that serve it, too: on an empty table others would do as well, so that
    a plan need not name them.
    """

    subject: str
    ask: Callable[[Connection, datetime], object]
    indexes: frozenset[str]
    keys: frozenset[str] = frozenset()


def _list_messages(connection: Connection, now: datetime) -> object:
    sizes = KnownSizes(large_from=1)
    query = MessageQuery()
    return read_page(connection, CANARY, query, partitions=None, now=now, known_sizes=sizes)


def _find_message(connection: Connection, now: datetime) -> object:
    return messages.find(connection, CANARY, UUID(int=0), now)


def _claim_events(connection: Connection, now: datetime) -> object:
    return delivery.claim(connection, now=now, limit=500, lease=_LEASE)


def _delete_messages(connection: Connection, now: datetime) -> object:
    return delete_expired(connection, now=now, limit=100)


def _find_entries(connection: Connection, _: datetime) -> object:
    return entries.find_batch_end(connection, 0, 1, limit=5_000)


READER_QUERIES: Final = (
    HotQuery("plan of the listing", _list_messages, frozenset({"ix_messages_newest"})),
    HotQuery("plan of the detail", _find_message, frozenset(), frozenset({"pk_messages"})),
)
WORKER_QUERIES: Final = (
    HotQuery("plan of the outbox", _claim_events, frozenset({"ix_outbox_waiting"})),
    HotQuery("plan of the purge", _delete_messages, frozenset({"ix_messages_expires_at"})),
    HotQuery("plan of sealing", _find_entries, frozenset({"ix_audit_entries_xid"})),
)
_SEARCH_INDEX: Final = "ix_search_texts_large"
# Each of them has a line of its own.
_ELSEWHERE: Final = frozenset({_SEARCH_INDEX}).union(
    *(query.indexes | query.keys for query in (*READER_QUERIES, *WORKER_QUERIES))
)


def check_indexes(transactions: Transactions) -> Iterator[ReportLine]:
    """Check that each index of our tables is there, and that PostgreSQL trusts it."""
    with transactions() as connection:
        names = find_unfit_indexes(connection) - _ELSEWHERE
    if names:
        sight = f"Missing, or not trusted by PostgreSQL: {', '.join(sorted(names))}."
        yield ReportLine(INDEXES, Grade.FAIL, sight, _REMEDY)
        return
    sight = "All that serve no hot query are there, too, and PostgreSQL trusts them."
    yield ReportLine(INDEXES, Grade.PASS, sight)


def check_search(transactions: Transactions) -> Iterator[ReportLine]:
    """Check that the index of the search is there, for each language, and of the right kind.

    The search is a function of the database, of which PostgreSQL tells no plan to others.
    """
    with transactions() as connection:
        definitions = read_index_definitions(connection)
    texts = ", ".join(f"{language} gin_trgm_ops" for language in LANGUAGES)
    if f"USING gin (ebox, {texts}, letter_pairs(" not in definitions.get(_SEARCH_INDEX, ""):
        sight = f"Missing, not trusted, or of another kind: {_SEARCH_INDEX}."
        yield ReportLine(SEARCH, Grade.FAIL, sight, _REMEDY)
        return
    sight = "Its index is there for nl, fr and de, of trigrams, and PostgreSQL trusts it."
    yield ReportLine(SEARCH, Grade.PASS, sight)


def check_plans(
    transactions: Transactions, queries: Sequence[HotQuery], now: datetime
) -> Iterator[ReportLine]:
    """Check that the hot queries can go by their indexes; none of them is executed."""
    for query in queries:
        with transactions(CANARY) as connection:
            unfit_names = find_unfit_indexes(connection)
            plan = explain_query(connection, partial(_ask, query, now))
        yield _judge_plan(query, plan, unfit_names)


def _ask(query: HotQuery, now: datetime, connection: Connection) -> object:
    return query.ask(connection, now)


def _judge_plan(query: HotQuery, plan: QueryPlan, unfit_names: frozenset[str]) -> ReportLine:
    names = ", ".join(sorted(query.indexes | query.keys))
    is_fit = query.indexes <= plan.indexes and not query.keys & unfit_names
    if is_fit and not plan.tables_read_whole:
        sight = f"It can go by {names}, and reads no table whole."
        return ReportLine(query.subject, Grade.PASS, sight)
    wholes = (f"the whole of {each}" for each in sorted(plan.tables_read_whole))
    ways = ", ".join([*sorted(plan.indexes), *wholes]) or "no index"
    sight = f"It goes by {ways}, not by {names}."
    return ReportLine(query.subject, Grade.FAIL, sight, _REMEDY)
