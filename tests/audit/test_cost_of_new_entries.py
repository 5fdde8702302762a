"""Work by the clock costs what is new, however long the trail is: pages are counted, not time."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from registry.audit.filing import TrailFiling
from registry.audit.store import entries, seals, sheaves
from registry.audit.store.sheaves import Sheaf
from registry.audit.trail.seal import make_next_seal, write_seal
from tests.audit.test_months import TIMES, _months, has_month, next_months

__all__ = ["_months"]  # what a test adds is gone in the end

_NEW, _OLD, _BACKLOG = 40, 150_000, 100_000  # entries
# Pages: indexes of a level more, in each of two dozen months; the old entries have 2,500.
_MOST_MORE = 80


@contextmanager
def recorded(engine):
    """The statements of each transaction meanwhile, with their values."""
    transactions = []

    def begin(connection):
        transactions.append([])

    def note(connection, cursor, statement, parameters, context, executemany):
        transactions[-1].append((statement, parameters))

    listeners = [("begin", begin), ("before_cursor_execute", note)]
    for listener in listeners:
        event.listen(engine, *listener)
    yield transactions
    for listener in listeners:
        event.remove(engine, *listener)


def explain(engine, transactions):
    """The plan of each question about the trail, as it is carried out, by its text."""
    plans = {}
    with engine.connect() as connection:
        for statements in transactions:
            for statement, values in statements:
                if "set_config" in statement:
                    connection.exec_driver_sql(statement, values)
                elif "audit_" in statement and statement.lstrip().startswith(("SELECT", "WITH")):
                    explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
                    [root] = connection.exec_driver_sql(explained, values).scalar_one()
                    plans[statement] = root["Plan"]
            connection.rollback()
    return plans


def count_pages(plan):
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def count_rows(plan):
    """The rows of the step that has most, with those that it drops."""
    rows = plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return max([rows, *map(count_rows, plan.get("Plans", []))])


@pytest.fixture
def has_past(alone, written):
    """Adds months of the past with so many entries, all under one stored seal, and filed."""

    def add(count):
        for month in TIMES[3:]:
            has_month(alone, month)
        for month in (*TIMES[3:], *next_months(1)):
            written.change(_ADD_PAST, at=month.replace(day=1), count=count // 3)
        with alone.owner.begin() as connection:
            span = seals.read_sealable_span(connection)
            # Without its leaves, which nothing here looks at.
            seal = make_next_seal(
                span.previous, [], span.horizon, sealed_at=datetime.now(UTC), key_id="none"
            )
            seals.add_seal(
                connection,
                seals.SealRow(
                    seal_number=seal.number,
                    seal=write_seal(seal),
                    signature="",
                    until_xid=seal.until_xid,
                    sealed_at=seal.sealed_at,
                    kept_until=seal.sealed_at,
                    stored_at=seal.sealed_at,
                ),
            )
            sheaf = Sheaf(seal.sealed_at, seal.sealed_at, 0, seal.until_xid, [])
            sheaves.add_sheaves(connection, [sheaf])

    return add


@pytest.mark.parametrize("is_analyzed", [False, True])
def test_sealing_filing_and_looking_at_what_waits_touch_new_entries_alone(
    alone, written, sealer, has_past, is_analyzed
):
    filing = TrailFiling(alone.worker)

    def work():
        written.write(_NEW)
        with recorded(alone.worker.engine) as transactions:
            sealer.measure_age()
            assert sealer.seal() == _NEW
            assert filing.file() == _NEW
            sealer.measure_age()
            assert sealer.seal() == 0
            assert filing.file() == 0
        plans = explain(alone.worker.engine, transactions)
        return {statement: count_pages(plan) for statement, plan in plans.items()}

    sealer.seal()
    before = work()
    has_past(_OLD)
    if is_analyzed:
        written.change("ANALYZE audit_entries, audit_sheaves")
    after = work()

    assert len(before) >= 8
    assert {
        statement: (before[statement], pages)
        for statement, pages in after.items()
        if pages > before[statement] + _MOST_MORE
    } == {}


def test_what_waits_is_not_read_whole_for_each_seal(alone, written, sealer):
    """A backlog: of ten transactions that wait the first one is sealed."""
    for _ in range(10):
        written.change(_ADD_PAST, at=next(next_months(1)), count=_BACKLOG // 10)

    with recorded(alone.worker.engine) as transactions:
        sealed = sealer.seal()
    plans = explain(alone.worker.engine, transactions)

    assert sealed == _BACKLOG // 10  # a transaction is never divided
    assert max(map(count_rows, plans.values())) <= _BACKLOG // 10


def test_a_month_goes_without_being_read(alone, written, sealer):
    written.write()
    has_month(alone, TIMES[0])
    written.change(_ADD_PAST, at=TIMES[0].replace(day=1), count=_BACKLOG)
    replace(sealer, most=2 * _BACKLOG).seal()

    with alone.worker.engine.connect() as connection, connection.begin():
        explained = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT drop_audit_month('2013-11-01')"
        [root] = connection.exec_driver_sql(explained).scalar_one()

    assert count_pages(root["Plan"]) < _BACKLOG / 10  # of the catalogue, with what is dropped


def test_months_that_may_go_are_found_without_reading_any(alone, has_past):
    has_past(_OLD)

    with recorded(alone.worker.engine) as transactions, alone.worker() as connection:
        expired = entries.find_expired_months(connection, datetime.now(UTC))
    plans = explain(alone.worker.engine, transactions)

    assert len(expired) == 2
    assert max(map(count_pages, plans.values())) < 300  # of the catalogue


_ADD_PAST = """
INSERT INTO audit_entries (recorded_at, ebox, entry)
SELECT CAST(:at AS timestamptz) + n * interval '1 second', 'key:' || n,
  '{"API_CALL_DETAILS":{"messageId":"' || gen_random_uuid() || '"}}'
FROM generate_series(1, :count) AS n
"""
