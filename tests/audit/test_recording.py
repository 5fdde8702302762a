"""The trail as the service has it: it can add, and no more."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.audit.store import entries
from registry.audit.trail.canonical_json import NotCanonical
from registry.audit.trail.entry import write_entry
from registry.domain.errors import Unavailable
from tests.audit.conftest import an_entry


def refused(engine, statement):
    """Whether PostgreSQL refuses for want of a right."""
    with engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            return isinstance(error.orig, InsufficientPrivilege)
    return False


def test_what_is_recorded_can_be_read_as_it_was(alone, written):
    entry = an_entry(details={"subject": "€ \N{GRINNING FACE} \\ \x00 '"}, person="2b097cd1:2")
    without = an_entry(ebox=None)

    with alone.application() as connection:
        entries.add_entry(connection, entry)
        entries.add_entry(connection, without)

    first, second = written.entries()
    assert first[1:4] == (write_entry(entry), entry.ebox, entry.person)
    assert second[1:4] == (write_entry(without), None, None)
    assert first.number < second.number


def test_the_database_says_when_and_by_which_transaction(alone, written):
    with alone.application() as connection:
        entries.add_entry(connection, an_entry(at=datetime(1999, 1, 1, tzinfo=UTC)))
        xid = connection.exec_driver_sql("SELECT pg_current_xact_id()").scalar_one()

    (row,) = alone.rows("audit_entries")
    assert row.xid == int(xid)
    assert abs(row.recorded_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_entry_is_there_with_what_it_tells_of_or_not_at_all(alone, written):
    with suppress(ZeroDivisionError), alone.application() as connection:
        entries.add_entry(connection, an_entry())
        _ = 1 / 0

    assert written.entries() == []


def test_an_entry_that_nobody_could_check_is_not_written(alone, written):
    with pytest.raises(NotCanonical), alone.application() as connection:
        entries.add_entry(connection, an_entry(details={"amount": 0.1}))

    assert written.entries() == []


def test_without_a_trail_nothing_happens_either(alone, written):
    written.change("ALTER TABLE audit_entries RENAME TO gone")

    with pytest.raises(Unavailable), alone.application() as connection:
        entries.add_entry(connection, an_entry(client_id="somebody"))

    written.change("ALTER TABLE gone RENAME TO audit_entries")


def test_an_error_of_the_database_repeats_no_value(alone, written):
    written.change("ALTER TABLE audit_entries ADD CONSTRAINT short CHECK (length(packed) < 10)")

    with pytest.raises(Unavailable) as failed, alone.application() as connection:
        entries.add_entry(connection, an_entry(client_id="somebody"))

    written.change("ALTER TABLE audit_entries DROP CONSTRAINT short")
    assert isinstance(failed.value.__cause__, psycopg.OperationalError)
    assert "short" in str(failed.value.__cause__)
    assert "somebody" not in str(failed.value.__cause__)


def test_recording_works_behind_a_pooler_too(alone):
    with alone.application() as connection:
        for _ in range(12):  # more often than a driver waits before it prepares
            entries.add_entry(connection, an_entry())

        prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ '^INSERT'")
        assert connection.execute(prepared).scalar_one() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT entry FROM audit_entries",
        "SELECT packed FROM audit_entries",
        "SELECT FROM audit_entries",
        "SELECT count(*) FROM audit_entries",
        "INSERT INTO audit_entries (entry) VALUES ('') RETURNING entry_number",
        "UPDATE audit_entries SET entry = ''",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "COPY audit_entries TO STDOUT",
        "INSERT INTO audit_entries (entry, xid) VALUES ('', '1')",
        "INSERT INTO audit_entries (entry, entry_number) VALUES ('', 1)",
        "INSERT INTO audit_entries (entry, recorded_at) VALUES ('', '1999-01-01')",
        "SELECT setval('audit_entry_numbers', 1)",
        "INSERT INTO audit_entries_default (entry) VALUES ('')",
        "DELETE FROM audit_entries_default",
        "DROP TABLE audit_entries",
        "CREATE TRIGGER t AFTER INSERT ON audit_entries EXECUTE FUNCTION suppress_redundant_x()",
        "SELECT seal FROM audit_seals",
        "INSERT INTO audit_seals (seal_number) VALUES (1)",
        "UPDATE audit_seals SET stored_at = now()",
        "DELETE FROM audit_seals",
        "TRUNCATE audit_seals",
        "SELECT prepare_audit_months(1)",
        "SELECT drop_audit_month('2010-01-01')",
    ],
)
def test_the_service_may_add_entries_and_nothing_else(application, statement):
    assert refused(application, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET entry = ''",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "INSERT INTO audit_entries (entry, xid) VALUES ('', '1')",
        "UPDATE audit_seals SET seal = ''",
        "UPDATE audit_seals SET until_xid = '0'",
        "UPDATE audit_seals SET kept_until = now()",
        "DELETE FROM audit_seals",
        "TRUNCATE audit_seals",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "CREATE TABLE audit_entries_2010_01 PARTITION OF audit_entries DEFAULT",
    ],
)
def test_the_worker_can_change_nothing_either(alone, statement):
    assert refused(alone.worker.engine, statement)


def test_who_may_add_is_refused_nothing_that_he_needs(application):
    with application.begin() as connection:
        connection.execute(text("INSERT INTO audit_entries (packed) VALUES (''), ('\\x00')"))


@pytest.mark.parametrize("table", ["audit_entries", "audit_seals"])
def test_nobody_but_the_owner_was_given_the_right_to_change(alone, table):
    asked = text(
        "SELECT r.rolname FROM pg_roles r WHERE NOT r.rolsuper AND r.rolname !~ '^pg_'"
        " AND NOT pg_has_role(r.oid, (SELECT relowner FROM pg_class WHERE relname = :t), 'USAGE')"
        " AND has_table_privilege(r.oid, CAST(:t AS regclass), 'UPDATE, DELETE, TRUNCATE, TRIGGER')"
    )

    with alone.owner.connect() as connection:
        assert connection.execute(asked, {"t": table}).scalars().all() == []


def test_every_entry_has_a_number_of_its_own(alone, written):
    for _ in range(3):
        written.write(5)

    numbers = [record.number for record in written.entries()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 15
