"""No entry slips between two seals, however long its transaction took."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from registry.audit.store import entries, seals
from registry.audit.trail.seal import parse_seal
from tests.audit.conftest import an_entry

pytestmark = pytest.mark.process


class Undone(Exception):
    """The transaction is to be rolled back."""


def numbers_sealed(written):
    return [number for row in written.seals() for number in parse_seal(row.seal).numbers]


def test_an_open_transaction_is_waited_for_and_those_after_it_with_it(sealer, written, alone):
    written.write()
    with alone.application() as connection:
        entries.add_entry(connection, an_entry())
        written.write()

        during = [sealer.seal(), sealer.seal()]

    assert during == [1, 0]
    assert sealer.seal() == 2
    assert written.findings() == []


def test_an_entry_that_comes_late_in_its_transaction_is_not_missed(sealer, written, alone):
    with alone.application() as connection:
        connection.exec_driver_sql("SELECT pg_current_xact_id()")
        written.write()
        during = sealer.seal()
        entries.add_entry(connection, an_entry())

    assert during == 0
    assert sealer.seal() == 2
    late, early = numbers_sealed(written)  # by transaction, whose number came later
    assert late > early
    assert written.findings() == []


def test_a_transaction_that_only_reads_holds_nobody_up(sealer, written, alone):
    with alone.worker() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM audit_entries")
        written.write()

        assert sealer.seal() == 1


def test_an_entry_of_a_savepoint_belongs_to_the_whole_transaction(sealer, written, alone):
    with alone.application() as connection:
        connection.exec_driver_sql("SELECT pg_current_xact_id()")
        written.write()
        connection.exec_driver_sql("SAVEPOINT one")
        entries.add_entry(connection, an_entry())
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one")
        connection.exec_driver_sql("SAVEPOINT two")
        entries.add_entry(connection, an_entry())

    assert sealer.seal() == 2
    assert len({row.xid for row in alone.rows("audit_entries")}) == 2
    assert written.findings() == []


def test_what_was_rolled_back_is_in_no_seal(sealer, written, alone):
    with suppress(Undone), alone.application() as connection:
        entries.add_entry(connection, an_entry())
        raise Undone
    written.write()

    assert sealer.seal() == 1
    assert written.findings() == []


def write_at_random(alone, seed, pause):
    """Long, short and undone transactions, which `pause` between their entries."""
    dice = random.Random(seed)
    for _ in range(25):
        with suppress(Undone), alone.application() as connection:
            for _ in range(dice.choice((1, 1, 1, 2, 5))):
                entries.add_entry(connection, an_entry())
                pause(dice.choice((0, 0, 0, 0.001, 0.02, 0.2)))
            if dice.random() < 0.2:
                raise Undone


@pytest.mark.parametrize("most", [3, 20])
def test_every_committed_entry_is_under_exactly_one_seal(sealer, written, alone, most):
    """Eight threads write while two seal without a pause."""
    done = threading.Event()

    def seal():
        while not done.is_set():
            replace(sealer, most=most).seal()

    with ThreadPoolExecutor(10) as pool:
        sealing = [pool.submit(seal) for _ in range(2)]
        list(pool.map(lambda seed: write_at_random(alone, seed, done.wait), range(8)))
        done.set()
        for each in sealing:
            each.result()
    while sealer.seal():
        pass

    committed = sorted(record.number for record in written.entries())
    assert len(committed) > 150
    assert sorted(numbers_sealed(written)) == committed
    assert len(written.seals()) > 5
    assert written.findings() == []


def test_the_horizon_is_before_what_is_open_and_after_what_is_over(alone, written):
    written.write()
    with alone.application() as connection:
        entries.add_entry(connection, an_entry())
        open_one = int(connection.exec_driver_sql("SELECT pg_current_xact_id()").scalar_one())
        with alone.worker() as looking:
            span = seals.read_sealable_span(looking)
            found = list(entries.stream_records(looking, span.first_xid, span.horizon))

    assert span.horizon <= open_one
    assert len(found) == 1


def test_a_range_is_looked_for_by_its_index_in_every_month(alone, written):
    written.write(1000)
    written.change("ANALYZE audit_entries")

    with alone.worker() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN SELECT entry_number, entry FROM audit_entries"
            " WHERE xid >= '9000000' AND xid < '9000100' ORDER BY xid, entry_number"
        ).scalars()
        lines = plan.all()

    month = f"audit_entries_{alone.rows('audit_entries')[0].recorded_at:%Y_%m}"
    assert [line for line in lines if "Scan using" in line and f"{month}_xid_idx" in line]
    assert not [line for line in lines if "Seq Scan" in line and month in line]
