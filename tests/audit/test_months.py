"""A partition for each month: there before it begins, gone when nobody may ask for it any more."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.audit.legal_period import find_legal_end, is_deletable
from registry.audit.store import entries
from registry.domain.errors import Unavailable
from tests.audit.conftest import an_entry

TIMES = [
    datetime(2013, 11, 30, 23, 59, 59, tzinfo=UTC),
    datetime(2013, 12, 31, 22, 59, 59, tzinfo=UTC),
    datetime(2013, 12, 31, 23, 30, tzinfo=UTC),  # the new year in Belgium
    datetime(2014, 1, 1, tzinfo=UTC),
    datetime(2014, 6, 30, 22, 30, tzinfo=UTC),
]


@pytest.fixture(autouse=True)
def _months(alone):
    """What a test adds or takes away is as before in the end."""
    before = set(partitions(alone))
    yield
    with alone.owner.begin() as connection:
        connection.execute(text("TRUNCATE audit_entries, audit_seals, audit_sheaves"))
        for name in set(partitions(alone)) - before:
            connection.execute(text(f"DROP TABLE {name}"))
        connection.execute(text("SELECT prepare_audit_months(12)"))


def partitions(alone):
    named = "SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits i WHERE i.inhparent ="
    with alone.owner.connect() as connection:
        found = connection.execute(text(f"{named} CAST('audit_entries' AS regclass)")).scalars()
        return sorted(found)


def month_of(at):
    return at.strftime("audit_entries_%Y_%m")


def has_month(alone, at):
    """Make the partition of a month of the past."""
    first = at.replace(day=1, hour=0, minute=0, second=0)
    after = (first + timedelta(days=32)).replace(day=1)
    with alone.owner.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {month_of(at)} PARTITION OF audit_entries"
            f" FOR VALUES FROM ('{first:%F %T%z}') TO ('{after:%F %T%z}')"
        )


def written_at(written, *times):
    """Entries of the past, as the owner alone can write them."""
    for at in times:
        written.change("INSERT INTO audit_entries (recorded_at, entry) VALUES (:at, '{}')", at=at)


def next_months(count):
    first = datetime.now(UTC).replace(day=1)
    for _ in range(count):
        yield first
        first = (first + timedelta(days=32)).replace(day=1)


def test_a_year_of_months_is_there_from_the_start(alone):
    expected = [month_of(month) for month in next_months(13)]

    assert partitions(alone) == sorted([*expected, "audit_entries_default"])


def test_what_is_written_goes_to_its_month(alone, written):
    written.write()

    with alone.owner.connect() as connection:
        where = connection.scalar(text("SELECT tableoid::regclass::text FROM audit_entries"))
    assert where == month_of(datetime.now(UTC))


def test_months_that_are_missing_are_made_and_others_left_alone(alone, sealer):
    *_, ninth, tenth = next_months(10)
    for month in (ninth, tenth):
        with alone.owner.begin() as connection:
            connection.execute(text(f"DROP TABLE {month_of(month)}"))

    made = [sealer.prepare_months(), sealer.prepare_months()]

    assert made == [2, 0]
    assert {month_of(ninth), month_of(tenth)} <= set(partitions(alone))


def test_a_month_that_is_made_later_has_the_indexes_and_no_rights_of_its_own(alone, sealer):
    *_, tenth = next_months(10)
    name = month_of(tenth)
    with alone.owner.begin() as connection:
        connection.execute(text(f"DROP TABLE {name}"))

    sealer.prepare_months()

    with alone.owner.connect() as connection:
        asked = text("SELECT indexdef FROM pg_indexes WHERE tablename = :name ORDER BY indexdef")
        indexes = connection.execute(asked, {"name": name}).scalars().all()
        rights = text("SELECT relacl FROM pg_class WHERE relname = :name")
        assert connection.scalar(rights, {"name": name}) is None
        options = text("SELECT reloptions FROM pg_class WHERE relname = :name")
        assert "autovacuum_freeze_min_age=0" in connection.scalar(options, {"name": name})
    assert [index.partition(" USING ")[2] for index in indexes] == ["btree (xid)"]


def test_an_entry_of_a_month_that_is_missing_is_taken_and_sealed_and_stays(alone, written, sealer):
    this = month_of(datetime.now(UTC))
    with alone.owner.begin() as connection:
        connection.execute(text(f"DROP TABLE {this}"))
    written.write()

    made = sealer.prepare_months()

    assert made == 0
    assert this not in partitions(alone)
    assert sealer.seal() == 1
    assert written.findings() == []


def test_months_are_made_while_entries_are_written(alone, sealer):
    *_, tenth = next_months(10)
    with alone.owner.begin() as connection:
        connection.execute(text(f"DROP TABLE {month_of(tenth)}"))

    with alone.application() as connection:
        entries.add_entry(connection, an_entry())
        made = sealer.prepare_months()
        entries.add_entry(connection, an_entry())

    assert made == 1


@pytest.mark.parametrize("ahead", [-1, 37])
def test_nobody_makes_more_months_than_are_of_use(alone, ahead):
    before = partitions(alone)

    with pytest.raises(DBAPIError), alone.worker() as connection:
        entries.prepare_months(connection, ahead)

    assert partitions(alone) == before


# The end of a month


@pytest.mark.parametrize("at", TIMES, ids=str)
def test_the_database_keeps_a_month_as_long_as_the_rule_says(alone, at):
    first = at.date().replace(day=1)
    after = datetime.combine(first + timedelta(days=32), datetime.min.time(), UTC).replace(day=1)
    asked = text("SELECT audit_month_kept_until(:month)")

    with alone.owner.connect() as connection:
        until = connection.scalar(asked, {"month": first})

    assert until == find_legal_end(after - after.resolution)
    assert is_deletable(after, until)
    assert not is_deletable(after, until - until.resolution)
    assert until >= find_legal_end(at)


def test_a_month_whose_ten_years_are_over_goes_with_all_that_is_in_it(alone, written, sealer):
    at = TIMES[0]
    has_month(alone, at)
    written_at(written, at, at)
    written.write()
    sealer.seal()

    dropped = sealer.drop_expired(sealer.now())

    assert dropped == 1
    assert month_of(at) not in partitions(alone)
    assert len(written.entries()) == 1
    assert sealer.drop_expired(sealer.now()) == 0


def test_months_go_the_oldest_first_and_those_of_no_partition_too(alone, written, sealer):
    has_month(alone, TIMES[3])
    written_at(written, *TIMES)
    sealer.seal()

    assert sealer.drop_expired(sealer.now()) == 4
    assert written.entries() == []
    assert month_of(TIMES[3]) not in partitions(alone)


def test_a_month_is_kept_until_its_time(alone, written, sealer):
    written.write()
    sealer.seal()
    (entry,) = alone.rows("audit_entries")
    last = find_legal_end(entry.recorded_at) - timedelta(seconds=1)

    assert sealer.drop_expired(last) == 0
    with pytest.raises(DBAPIError, match="is kept until"), alone.worker() as connection:
        entries.drop_month(connection, date(entry.recorded_at.year, entry.recorded_at.month, 1))

    assert len(written.entries()) == 1


def test_the_word_of_a_worker_does_not_end_a_month_before_its_time(alone, written, sealer):
    written.write()
    sealer.seal()

    with pytest.raises(DBAPIError, match="is kept until"):
        sealer.drop_expired(sealer.now() + timedelta(days=12 * 366))

    assert len(written.entries()) == 1


@pytest.mark.parametrize("has_partition", [True, False])
def test_a_month_that_is_not_sealed_does_not_go(alone, written, sealer, has_partition):
    if has_partition:
        has_month(alone, TIMES[0])
    written_at(written, TIMES[0])

    for act in (lambda: None, sealer.prepare):  # a seal that is not stored is none
        act()
        with pytest.raises(DBAPIError, match="2013-11 is not all under a stored seal"):
            sealer.drop_expired(sealer.now())

    assert len(written.entries()) == 1
    sealer.store_prepared()
    assert sealer.drop_expired(sealer.now()) == 1


def test_a_request_under_way_is_not_held_up_by_the_end_of_a_month(alone, written, sealer):
    has_month(alone, TIMES[0])
    written_at(written, TIMES[0])
    sealer.seal()

    with alone.application() as connection:
        entries.add_entry(connection, an_entry())
        began = time.monotonic()
        with pytest.raises(Unavailable):
            sealer.drop_expired(sealer.now())
        waited = time.monotonic() - began
        entries.add_entry(connection, an_entry())

    assert waited < 3
    assert sealer.drop_expired(sealer.now()) == 1
