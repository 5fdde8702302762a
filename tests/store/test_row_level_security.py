"""The second lock: PostgreSQL itself shows the service no e-Box but the one it names."""

from contextlib import suppress

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import column, create_engine, delete, func, insert, select, table, text, update
from sqlalchemy.exc import DBAPIError

from registry.domain.identifiers import EboxKind
from registry.migrations import WORKER_ROLE
from registry.store.consultation.messages import messages
from registry.store.roles import sees_every_ebox, unsafe_role
from registry.store.schema import metadata
from registry.store.transactions import name_ebox
from tests.conftest import ROLE
from tests.factories import a_message, an_ebox
from tests.store.tables import AUDIT, BY_EBOX, WORKERS

TABLES = sorted(table.name for table in BY_EBOX)
READABLE = (
    "messages",
    "attachments",
    "sent_messages",
    "broadcasts",
    "upload_notes",
    "partition_rights",
    "routing_rules",
    "federation_events",
    "large_eboxes",
    "message_count_changes",
    "message_counts",
)
# Where the worker sees every e-Box; elsewhere it is like the service.
EVERY_EBOX = (
    "attachments",
    "broadcasts",
    "large_eboxes",
    "legal_holds",
    "message_count_changes",
    "message_counts",
    "messages",
    "outbox",
    "search_texts",
    "sent_messages",
    "upload_notes",
)
# The worker sets holds, a function of the database records broadcasts, and triggers count.
NEVER_INSERTED = {"legal_holds", "broadcasts", "message_counts", "message_count_changes"}
UPDATABLE = {
    "read_at",
    "is_visible",
    "partition",
    "is_routing_pending",
    "action_executed_at",
}


def eboxes_in(connection, table):
    return set(connection.execute(select(metadata.tables[table].c.ebox)).scalars())


def refused(connection, statement, **parameters):
    """Whether PostgreSQL refuses for want of a right or by a policy."""
    savepoint = connection.begin_nested()
    try:
        connection.execute(text(statement) if isinstance(statement, str) else statement, parameters)
    except DBAPIError as error:
        savepoint.rollback()
        return isinstance(error.orig, InsufficientPrivilege)
    savepoint.rollback()
    return False


def test_every_table_with_an_ebox_has_its_policy_switched_on(owner):
    with owner.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT c.relname, c.relrowsecurity, p.qual, p.cmd, p.permissive, p.roles"
                " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'ebox'"
                " LEFT JOIN pg_policies p ON p.tablename = c.relname"
                " AND p.policyname = 'own_ebox'"
                " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND c.relnamespace = 'public'::regnamespace"
            )
        ).all()

    own = [table for table in tables if table.relname not in AUDIT]
    assert sorted(table.relname for table in own) == TABLES
    named = "(ebox = current_setting('registry.ebox'::text, true))"
    assert {(table.relrowsecurity, table.cmd) for table in own} == {(True, "ALL")}
    assert {table.relname: table.qual for table in own} == {
        **dict.fromkeys(TABLES, named),
        "messages": f"({named} AND (withdrawn_at IS NULL))",
    }


def test_the_worker_alone_is_shown_every_ebox_and_where_it_has_to_look(owner):
    with owner.connect() as connection:
        policies = connection.execute(
            text(
                "SELECT tablename, array_to_string(roles, ',') AS roles, qual FROM pg_policies"
                " WHERE policyname <> 'own_ebox' ORDER BY tablename"
            )
        ).all()

    assert [tuple(policy) for policy in policies] == [
        (table, WORKER_ROLE, "true") for table in EVERY_EBOX
    ]


def test_the_services_roles_own_nothing_and_have_no_special_right(owner):
    with owner.connect() as connection:
        roles = connection.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
                " FROM pg_roles WHERE rolname IN ('application', 'worker', :role, :worker)"
            ),
            {"role": ROLE, "worker": WORKER_ROLE},
        ).all()
        owned = connection.scalar(
            text(
                "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
                " WHERE d.deptype = 'o'"
                " AND r.rolname IN ('application', 'worker', :role, :worker)"
            ),
            {"role": ROLE, "worker": WORKER_ROLE},
        )

    assert [tuple(role) for role in roles] == [(False,) * 5] * 4
    assert owned == 0


def test_these_tests_have_a_row_for_every_table(owner, fill):
    ebox = an_ebox()
    fill(ebox)

    with owner.connect() as connection:
        unfilled = [table for table in TABLES if ebox not in eboxes_in(connection, table)]

    assert unfilled == []


def test_the_service_may_read_these_tables_of_an_ebox_and_no_other(application):
    with application.begin() as connection:
        readable = {t for t in TABLES if not refused(connection, select(metadata.tables[t].c.ebox))}

    assert readable == set(READABLE)


@pytest.mark.parametrize("table", READABLE)
def test_who_names_no_ebox_sees_no_row_though_there_are_some(application, owner, fill, table):
    ebox = an_ebox()
    fill(ebox)
    with owner.connect() as connection:
        assert ebox in eboxes_in(connection, table)

    with application.begin() as connection:
        assert eboxes_in(connection, table) == set()


@pytest.mark.parametrize("table", READABLE)
def test_naming_one_ebox_never_shows_another_whatever_is_asked(application, fill, table):
    ebox, other = an_ebox(), an_ebox()
    fill(ebox)
    fill(other)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        assert eboxes_in(connection, table) == {ebox}
        kept = metadata.tables[table]
        asked = select(func.count()).select_from(kept).where(kept.c.ebox == other)
        assert connection.scalar(asked) == 0


@pytest.mark.parametrize("table", [table for table in TABLES if table not in READABLE])
def test_what_the_service_only_writes_it_may_not_read(application, fill, table):
    ebox = an_ebox()
    fill(ebox)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        assert refused(connection, select(metadata.tables[table].c.ebox))


@pytest.mark.parametrize("table", READABLE)
def test_a_pooled_connection_forgets_the_ebox_with_its_transaction(transactions, fill, table):
    ebox = an_ebox()
    fill(ebox)
    with transactions(ebox) as connection:
        used = connection.connection.driver_connection
        assert eboxes_in(connection, table) == {ebox}

    with transactions() as connection:
        assert connection.connection.driver_connection is used
        assert eboxes_in(connection, table) == set()


def test_a_pooled_connection_forgets_the_ebox_of_a_transaction_that_failed(transactions, fill):
    ebox = an_ebox()
    fill(ebox)

    with suppress(ZeroDivisionError), transactions(ebox) as connection:
        used = connection.connection.driver_connection
        _ = 1 / 0

    with transactions() as connection:
        assert connection.connection.driver_connection is used
        assert eboxes_in(connection, "messages") == set()


def test_a_pooled_connection_shows_the_ebox_named_last(transactions, fill):
    first, second = an_ebox(), an_ebox(EboxKind.CITIZEN)
    fill(second)
    with transactions(first) as connection:
        assert eboxes_in(connection, "messages") == set()

    with transactions(second) as connection:
        assert eboxes_in(connection, "messages") == {second}


@pytest.mark.parametrize("name", [table for table in TABLES if table not in NEVER_INSERTED])
def test_nothing_can_be_put_into_an_ebox_that_is_not_named(application, name):
    """The policy is asked before anything else of a row: an e-Box alone makes the case."""
    ebox, other = an_ebox(), an_ebox()
    putting = insert(table(name, column("ebox"))).values(ebox=other.key)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        assert refused(connection, putting)
        name_ebox(connection, other)
        assert not refused(connection, putting)  # but for what is missing in the row


def test_another_eboxs_rows_cannot_be_changed_or_deleted(application, owner, fill):
    ebox, other = an_ebox(), an_ebox()
    fill(ebox)
    fill(other)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        changed = connection.execute(text("UPDATE messages SET is_visible = false")).rowcount
        deleted = connection.execute(text("DELETE FROM partition_rights")).rowcount

    assert (changed, deleted) == (1, 1)
    with owner.connect() as connection:
        seen = text("SELECT is_visible FROM messages WHERE ebox = :other")
        assert connection.scalar(seen, {"other": other.key}) is True
        assert other in eboxes_in(connection, "partition_rights")


@pytest.mark.parametrize("column", [c.name for c in messages.c if c.name not in UPDATABLE])
def test_a_column_of_a_message_that_never_changes_cannot_be_changed(application, column):
    with application.begin() as connection:
        name_ebox(connection, an_ebox())

        assert refused(connection, update(messages).values({column: messages.c[column]}))


@pytest.mark.parametrize("column", sorted(UPDATABLE))
def test_a_column_of_a_message_that_may_change_can_be_changed(application, column):
    with application.begin() as connection:
        name_ebox(connection, an_ebox())

        assert not refused(connection, update(messages).values({column: None}))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM messages",
        "DELETE FROM attachments",
        "UPDATE attachments SET file_name = ''",
        "UPDATE attachments SET fault = NULL",
        "UPDATE search_texts SET nl = ''",
        "DELETE FROM outbox",
        "UPDATE outbox SET state = 'told'",
        "UPDATE messages SET is_reminded = true",
        "UPDATE sent_messages SET partition = 'B'",
        "INSERT INTO broadcasts (ebox) VALUES ('enterprise:0206731645')",
        "UPDATE broadcasts SET links = 1",
        "UPDATE broadcasts SET message_id = gen_random_uuid()",
        "DELETE FROM broadcasts",
        "UPDATE upload_notes SET condemned_at = NULL",
        "INSERT INTO upload_notes (noted_at) VALUES ('2010-01-01')",
        "INSERT INTO upload_notes (written_in) VALUES ('')",
        "TRUNCATE messages CASCADE",
        "SELECT FROM audit_entries",
        "SELECT prepare_audit_months(1)",
        "SELECT drop_audit_month('2010-01-01')",
        "INSERT INTO message_types (message_type_id) VALUES ('mine')",
        "UPDATE sender_organizations SET short_name = '{}'",
        "DELETE FROM images",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_ebox ON messages",
        "SET ROLE owner",
        "SET SESSION AUTHORIZATION owner",
    ],
)
def test_the_service_may_do_nothing_that_it_does_not_need(application, statement):
    with application.begin() as connection:
        name_ebox(connection, an_ebox())

        assert refused(connection, statement)


@pytest.mark.parametrize("table", sorted(WORKERS | {"legal_holds"}))
@pytest.mark.parametrize("verb", ["SELECT FROM", "INSERT INTO", "UPDATE", "DELETE FROM"])
def test_the_service_has_no_part_in_what_is_the_workers(application, table, verb):
    last = list(metadata.tables[table].c)[-1].name
    rest = {"INSERT INTO": "DEFAULT VALUES", "UPDATE": f"SET {last} = NULL"}.get(verb, "")

    with application.begin() as connection:
        name_ebox(connection, an_ebox())

        assert refused(connection, f"{verb} {table} {rest}")


@pytest.mark.parametrize("table", EVERY_EBOX)
def test_the_worker_sees_every_ebox_without_naming_one(worker, fill, table):
    one, other = an_ebox(), an_ebox(EboxKind.CITIZEN)
    fill(one)
    fill(other)

    with worker() as connection:
        assert eboxes_in(connection, table) >= {one, other}


@pytest.mark.parametrize("table", sorted(set(READABLE) - set(EVERY_EBOX)))
def test_elsewhere_the_worker_sees_the_ebox_that_it_names_and_no_other(worker, fill, table):
    one, other = an_ebox(), an_ebox()
    fill(one)
    fill(other)

    with worker() as connection:
        assert eboxes_in(connection, table) == set()
        name_ebox(connection, one)
        assert eboxes_in(connection, table) == {one}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE messages SET subject = '{}'",
        "UPDATE messages SET expires_at = now()",
        "UPDATE messages SET ebox = ''",
        "UPDATE attachments SET blob_key = ''",
        "DELETE FROM attachments",
        "SELECT nl FROM search_texts",
        "SELECT FROM messages_3",
        "UPDATE search_texts SET nl = ''",
        "UPDATE outbox SET type = 'newDocument'",
        "UPDATE outbox SET message_id = gen_random_uuid()",
        "UPDATE sent_messages SET recipient = ''",
        "UPDATE upload_notes SET noted_at = now()",
        "UPDATE upload_notes SET written_in = ''",
        "UPDATE deletions SET documents = '[]'",
        "DELETE FROM deletions",
        "TRUNCATE deletions",
        "UPDATE audit_entries SET entry = ''",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "UPDATE audit_seals SET seal = ''",
        "DELETE FROM audit_seals",
        "UPDATE audit_sheaves SET terms = '{}'",
        "DELETE FROM audit_sheaves",
        "DELETE FROM legal_holds",
        "TRUNCATE messages CASCADE",
        "DELETE FROM message_types",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE deletions RENAME TO gone",
        "DROP POLICY every_ebox ON messages",
        "SET ROLE owner",
    ],
)
def test_the_worker_may_do_nothing_that_it_does_not_need(database, statement):
    engine = create_engine(database.worker)

    with engine.begin() as connection:
        assert refused(connection, statement)

    engine.dispose()


def test_nobody_but_the_service_was_given_anything(owner):
    given_to_all = text(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace"
        " AND has_table_privilege('public', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
        " UNION ALL SELECT p.proname FROM pg_proc p WHERE p.prosecdef"
        " AND p.pronamespace = 'public'::regnamespace"
        " AND has_function_privilege('public', p.oid, 'EXECUTE')"
    )

    with owner.connect() as connection:
        assert connection.execute(given_to_all).scalars().all() == []


def test_no_hash_partition_can_be_reached_past_its_parent(application):
    with application.begin() as connection:
        partitions = connection.execute(
            text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
        ).scalars()
        reachable = [
            partition
            for partition in partitions.all()
            if not refused(connection, select(text("*")).select_from(table(partition)))
            or not refused(connection, delete(table(partition)))
        ]

        assert reachable == []
        assert refused(connection, "SELECT * FROM messages_3")


def test_search_obeys_the_named_ebox_whatever_is_asked(application, fill):
    ebox, other = an_ebox(), an_ebox()
    mine = fill(ebox)
    fill(other)
    everything = text("SELECT search_ebox('nl', :words, 0)")

    with application.begin() as connection:
        assert connection.execute(everything, {"words": "a"}).scalars().all() == []
        name_ebox(connection, ebox)
        for searched in ("a", "aanslag", "my", "fod financien"):
            found = connection.execute(everything, {"words": searched}).scalars()
            assert set(found) == {mine}, searched


def test_search_among_the_newest_obeys_the_named_ebox(application, superuser, fill):
    ebox, other = an_ebox(), an_ebox()
    mine = fill(ebox)
    fill(other)
    with superuser.begin() as connection:
        large = text("UPDATE large_eboxes SET counted_at = now() WHERE ebox = :ebox")
        connection.execute(large, [{"ebox": each.key} for each in (ebox, other)])
    newest = text("SELECT message_id FROM search_newest('nl', :words, 9, NULL, '2000-01-01')")

    with application.begin() as connection:
        assert connection.execute(newest, {"words": "a"}).scalars().all() == []
        name_ebox(connection, ebox)
        for searched in ("a", "aanslag", "my", "fod financien"):
            ids = connection.execute(newest, {"words": searched}).scalars().all()
            assert ids == [mine], searched


def test_row_level_security_cannot_be_switched_off(application, fill):
    fill(an_ebox())

    with application.begin() as connection:
        connection.execute(text("SET LOCAL row_security = off"))
        assert refused(connection, "SELECT * FROM messages")


def test_the_services_role_is_safe(application):
    with application.connect() as connection:
        assert unsafe_role(connection) is None
        assert not sees_every_ebox(connection)


def test_the_workers_role_is_safe_though_it_sees_every_ebox(worker):
    with worker() as connection:
        assert unsafe_role(connection) is None
        assert sees_every_ebox(connection)


@pytest.mark.parametrize(
    ("rights", "fault"),
    [
        ("SUPERUSER", "superuser"),
        ("BYPASSRLS", "bypass"),
        ("IN ROLE owner", "owns"),
        ("NOINHERIT IN ROLE owner", "owns"),
        ("IN ROLE postgres", "superuser"),
    ],
)
def test_a_role_for_which_the_lock_would_not_hold_is_called_unsafe(superuser, rights, fault):
    with superuser.connect() as connection:
        connection.execute(text(f"CREATE ROLE unsafe_one {rights}"))
        connection.execute(text("SET LOCAL ROLE unsafe_one"))

        assert fault in unsafe_role(connection)

        connection.rollback()


def test_the_owner_of_the_tables_is_called_unsafe(owner):
    with owner.connect() as connection:
        assert "owns" in unsafe_role(connection)


def test_a_message_put_by_the_service_itself_lands_in_the_named_ebox(application):
    ebox = an_ebox()
    with application.begin() as connection:
        name_ebox(connection, ebox)
        connection.execute(messages.insert().values(ebox=ebox, **a_message(ebox)))

    with application.begin() as connection:
        name_ebox(connection, ebox)
        assert eboxes_in(connection, "messages") == {ebox}


def test_an_error_of_the_database_repeats_no_value(settings, transactions):
    with pytest.raises(DBAPIError) as failed, transactions(an_ebox()) as connection:
        connection.execute(text("SELECT :secret / 0"), {"secret": 8507300332})

    assert "8507300332" not in str(failed.value)
