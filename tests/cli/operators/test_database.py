"""`registry database`: migrate, downgrade, check."""

from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from registry import migrations
from registry.domain.errors import SettingsError
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.conftest import PASSWORD

pytestmark = pytest.mark.process

NEWEST = ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head()
NOBODY = f"postgresql://owner:{PASSWORD}@{LOOPBACK}:{free_port()}/registry"


def tables(environment):
    engine = create_engine(environment["REGISTRY_DATABASE_OWNER_URL"])
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def add_an_entry(environment):
    engine = create_engine(environment["REGISTRY_DATABASE_OWNER_URL"])
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO audit_entries (entry) VALUES ('{}')")
    engine.dispose()


def test_migrating_brings_a_new_database_to_the_newest_shape(run, fresh):
    done = run("database", "migrate", env=fresh)

    assert (done.code, done.said) == (0, f"The database is at revision {NEWEST}.\n")
    assert {"messages", "outbox", "message_types"} <= tables(fresh)


def test_migrating_again_changes_nothing(run, fresh):
    run("database", "migrate", env=fresh)
    before = tables(fresh)

    done = run("database", "migrate", env=fresh)

    assert (done.code, done.said) == (0, f"The database is at revision {NEWEST}.\n")
    assert tables(fresh) == before


def test_a_new_database_is_divided_for_what_is_expected(run, fresh):
    done = run("database", "migrate", "--expected-messages", "40000000", env=fresh)

    assert done.code == 0
    assert {"messages_31", "outbox_31"} <= tables(fresh)
    assert "messages_32" not in tables(fresh)


def test_a_database_that_is_in_use_is_divided_no_more(run, fresh):
    run("database", "migrate", env=fresh)
    engine = create_engine(fresh["REGISTRY_DATABASE_OWNER_URL"])
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO routing_rules VALUES ('enterprise:0206731645', '[]', now())"
        )
    engine.dispose()

    done = run("database", "migrate", "--partitions", "4", env=fresh)

    assert done.code == 1
    assert done.said.startswith(
        "Error: The database could not be migrated: routing_rules has 16 partitions and something"
    )
    assert "messages_15" in tables(fresh)


def test_the_number_of_partitions_is_said_in_one_way(run, fresh):
    done = run("database", "migrate", "--partitions", "4", "--expected-messages", "9", env=fresh)

    assert done.code == 2
    assert "two ways to say the same" in done.said
    assert tables(fresh) == set()


def test_a_migrated_database_is_well(run, fresh):
    run("database", "migrate", env=fresh)

    done = run("database", "check", env=fresh)

    assert done.code == 0
    assert done.said == (
        f"The database is at revision {NEWEST}, the newest, its role is safe,"
        " and audit entries can be written.\n"
    )


def test_a_log_that_would_have_personal_numbers_is_warned_of(run, fresh, cluster):
    run("database", "migrate", env=fresh)
    database = fresh["REGISTRY_DATABASE_URL"].rpartition("/")[2]
    with psycopg.connect(cluster.url("postgres", database), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} SET log_parameter_max_length = -1")

    done = run("database", "check", env=fresh)

    assert done.code == 0
    assert done.out.startswith("The database is at revision")
    assert done.err.startswith("Warning: log_parameter_max_length is -1: a statement that")
    assert done.err.count("\n") == 1


def test_a_way_back_that_drops_the_trail_wants_its_name(run, fresh):
    run("database", "migrate", env=fresh)
    add_an_entry(fresh)
    go_back = ("database", "downgrade", "--revision", "0003", "--yes")

    refused = run(*go_back, env=fresh)
    after = tables(fresh)
    named = run(*go_back, "--drop", "audit_entries", env=fresh)

    assert refused.code == 1
    assert refused.said == (
        "Error: The downgrade failed: Going back to 0003 would drop the audit trail"
        " (audit_entries, 1 row): say so with --drop audit_entries\n"
    )
    assert "audit_entries" in after
    assert (named.code, named.said) == (0, "The database is at revision 0003.\n")


def ask(environment, statement):
    engine = create_engine(environment["REGISTRY_DATABASE_OWNER_URL"])
    with engine.connect() as connection:
        answer = connection.exec_driver_sql(statement).scalar_one()
    engine.dispose()
    return answer


def test_entries_of_a_trail_that_is_there_are_packed_when_somebody_says_so(run, fresh):
    run("database", "migrate", "--revision", "0015", env=fresh)
    add_an_entry(fresh)
    early = run("database", "pack-entries", env=fresh)
    run("database", "migrate", env=fresh)
    before = ask(fresh, "SELECT audit_entries_are_packed()")

    done = [run("database", "pack-entries", env=fresh) for _ in range(2)]

    assert early.code == 1
    assert early.said == (
        f"Error: The database is at revision 0015, not at {NEWEST}:"
        " `registry database migrate` comes first.\n"
    )
    assert before is False
    assert {(each.code, each.said) for each in done} == {
        (0, "New entries of the audit trail are packed, within a minute everywhere.\n")
    }
    assert ask(fresh, "SELECT audit_entries_are_packed()") is True


def test_a_table_in_use_is_told_of_and_given_up(run, fresh):
    run("database", "migrate", "--revision", "0001", env=fresh)
    engine = create_engine(fresh["REGISTRY_DATABASE_OWNER_URL"])
    with engine.connect() as reading:
        reading.exec_driver_sql("SELECT count(*) FROM messages")

        done = run("database", "migrate", "--patience", "1", env=fresh)

    engine.dispose()
    assert done.code == 1
    assert "Revision 0002 waits for tables that somebody uses; attempt 2.\n" in done.err
    assert done.err.splitlines()[-1].startswith("Error: The database could not be migrated: Some")


def test_a_database_that_was_never_migrated_is_not_well(run, fresh):
    done = run("database", "check", env=fresh)

    assert done.code == 1
    assert done.said == f"Error: The database is at revision None, not at {NEWEST}.\n"


def test_a_database_whose_service_owns_the_tables_is_not_well(run, fresh):
    run("database", "migrate", env=fresh)
    owner = fresh["REGISTRY_DATABASE_OWNER_URL"]

    done = run("database", "check", env=fresh | {"REGISTRY_DATABASE_URL": owner})

    assert (done.code, done.said) == (1, "Error: The database role owns the tables.\n")


def test_a_service_that_finds_nobody_is_not_well(run, environment):
    done = run("database", "check", env=environment | {"REGISTRY_DATABASE_URL": NOBODY})

    assert done.code == 1
    assert done.said.startswith("Error: The database cannot be used: ")
    assert "Connection refused" in done.said
    assert done.said.count("\n") == 1
    assert PASSWORD not in done.said


@pytest.mark.parametrize("command", ["migrate", "check"])
def test_a_database_that_does_not_answer_is_an_error_without_its_password(
    run, environment, command
):
    done = run("database", command, env=environment | {"REGISTRY_DATABASE_OWNER_URL": NOBODY})

    assert done.code == 1
    assert "Connection refused" in done.said
    assert done.said.count("\n") == 1
    assert PASSWORD not in done.said


@pytest.mark.parametrize(
    "command",
    [("migrate",), ("check",), ("pack-entries",), ("downgrade", "--revision", "base", "--yes")],
    ids=lambda command: command[0],
)
def test_without_the_owner_nothing_is_done(run, environment, command):
    env = {**environment, "REGISTRY_DATABASE_OWNER_URL": None}

    with pytest.raises(SettingsError) as error:
        run("database", *command, env=env)

    assert error.value.faults == ["REGISTRY_DATABASE_OWNER_URL: is needed here and not set"]


def test_a_downgrade_that_is_not_confirmed_deletes_nothing(run, fresh):
    run("database", "migrate", env=fresh)
    before = tables(fresh)

    done = run("database", "downgrade", "--revision", "base", env=fresh, answer="n\n")

    assert done.code == 1
    assert "This deletes data. Go on?" in done.said
    assert tables(fresh) == before


def test_a_downgrade_that_is_confirmed_leaves_nothing(run, fresh):
    run("database", "migrate", env=fresh)

    done = run("database", "downgrade", "--revision", "base", env=fresh, answer="y\n")

    assert done.code == 0
    assert done.said.endswith("The database is at revision base.\n")
    assert tables(fresh) <= {"alembic_version"}


def test_a_downgrade_goes_nowhere_unless_told_where(run, fresh):
    done = run("database", "downgrade", "--yes", env=fresh)

    assert done.code == 2
    assert "--revision" in done.said


@pytest.mark.parametrize("command", ["migrate", "downgrade"])
def test_a_revision_that_does_not_exist_is_an_error_in_one_line(run, fresh, command):
    confirmed = ("--yes",) if command == "downgrade" else ()

    done = run("database", command, "--revision", "nowhere", *confirmed, env=fresh)

    assert done.code == 1
    assert "nowhere" in done.said
    assert done.said.count("\n") == 1
