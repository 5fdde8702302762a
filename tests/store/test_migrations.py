"""The steps between shapes of the database, forth and back (architecture 5)."""

import re
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.dialects.postgresql.base import ischema_names

from registry import migrations
from registry.audit.store.entries import TransactionId
from registry.domain.languages import fold
from registry.migrations.partitions import USUAL
from registry.sandbox.seeds import reference
from registry.store.consultation import messages
from registry.store.schema import metadata
from tests.conftest import ROLE
from tests.factories import a_message, an_ebox
from tests.store.tables import PARTITIONED

pytestmark = pytest.mark.process

ischema_names["xid8"] = TransactionId  # SQLAlchemy does not know it
PARTITION = re.compile(r".*_([0-9]+|default)")


def is_ours(item, name, kind, *_):
    """Partitions are their parents' business, and so are foreign keys towards them."""
    if kind == "table":
        return not PARTITION.fullmatch(name)
    if kind == "foreign_key_constraint":
        return not PARTITION.fullmatch(item.elements[0].column.table.name)
    return True


def differences(engine):
    options = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def tables(engine):
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_database_goes_up_and_down_and_up_again(empty_database):
    migrations.upgrade(empty_database, ROLE)
    highest = tables(empty_database)

    migrations.downgrade(empty_database, ROLE, "base")

    assert tables(empty_database) == set()
    assert migrations.revisions(empty_database)[0] is None

    migrations.upgrade(empty_database, ROLE)

    assert tables(empty_database) == highest
    assert highest >= set(metadata.tables)
    assert differences(empty_database) == []


def test_going_down_leaves_no_function_behind(empty_database):
    migrations.upgrade(empty_database, ROLE)
    migrations.downgrade(empty_database, ROLE, "base")

    with empty_database.connect() as connection:
        ours = text(
            "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT"
            " EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        assert connection.execute(ours).scalars().all() == []


def test_the_tables_in_the_code_are_those_in_the_database(owner):
    assert differences(owner) == []


def test_a_difference_would_be_noticed(empty_database):
    migrations.upgrade(empty_database, ROLE)
    with empty_database.begin() as connection:
        connection.execute(text("ALTER TABLE messages DROP COLUMN body CASCADE"))
        connection.execute(text("DROP INDEX ix_search_texts_large"))

    kinds = {difference[0] for difference in differences(empty_database)}

    assert kinds == {"add_column", "add_index"}


def test_migrating_again_changes_nothing(empty_database):
    migrations.upgrade(empty_database, ROLE)

    migrations.upgrade(empty_database, ROLE)

    current, newest = migrations.revisions(empty_database)
    assert current == newest
    assert differences(empty_database) == []


def test_a_database_that_was_never_migrated_is_at_no_revision(empty_database):
    current, newest = migrations.revisions(empty_database)

    assert current is None
    assert newest


def test_a_migration_that_fails_leaves_nothing(empty_database):
    with empty_database.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION search_messages(text, text) RETURNS SETOF uuid"
                " LANGUAGE sql AS 'SELECT gen_random_uuid()'"
            )
        )

    with pytest.raises(Exception, match="search_messages"):
        migrations.upgrade(empty_database, ROLE)

    assert tables(empty_database) == set()


def test_texts_that_were_folded_before_are_found_with_plain_marks(empty_database):
    ebox = an_ebox()
    subject = {"fr": "\u00ab\u00a0Avis\u00a0\u00bb sur l\u2019imp\u00f4t \u2013 2026"}
    folded = "\u00ab avis \u00bb sur l\u2019impot \u2013 2026"
    migrations.upgrade(empty_database, ROLE, "0005")
    with empty_database.begin() as connection:
        reference.plant(connection)
        messages.add(connection, ebox, a_message(ebox, subject=subject), [])
        connection.execute(text("UPDATE search_texts SET nl = :t, fr = :t, de = :t"), {"t": folded})
        name = {"text": "d\u2019office"}
        connection.execute(text("UPDATE message_types SET folded_fr = :text"), name)

    migrations.upgrade(empty_database, ROLE)

    with empty_database.connect() as connection:
        texts = connection.execute(text("SELECT nl, fr, de FROM search_texts")).one()
        assert set(texts) == {fold(subject["fr"])}
        kinds = text("SELECT DISTINCT folded_fr FROM message_types")
        assert connection.execute(kinds).scalars().all() == ["d'office"]


def test_a_role_that_is_missing_is_created_and_may_log_in_nowhere(cluster, empty_database):
    role = f"role-{uuid4().hex[:8]}"

    migrations.upgrade(empty_database, role)

    with empty_database.begin() as connection:
        may_log_in = text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role")
        may_read = text("SELECT has_table_privilege(:role, 'messages', 'SELECT')")
        assert connection.scalar(may_log_in, {"role": role}) is False
        assert connection.scalar(may_read, {"role": role}) is True
    migrations.downgrade(empty_database, role, "base")
    with empty_database.begin() as connection:
        connection.execute(text(f'REVOKE USAGE ON SCHEMA public FROM "{role}"'))
        connection.execute(text(f'DROP ROLE "{role}"'))


@pytest.mark.parametrize("table", PARTITIONED, ids=str)
def test_every_ebox_has_a_hash_partition_to_go_to(owner, table):
    with owner.connect() as connection:
        children = text("SELECT count(*) FROM pg_inherits WHERE inhparent = CAST(:t AS regclass)")

        assert connection.scalar(children, {"t": table.name}) == USUAL


@pytest.mark.parametrize("is_used", [False, True])
def test_a_trail_that_is_there_is_not_packed_by_its_migration(empty_database, is_used):
    migrations.upgrade(empty_database, ROLE, "0015")
    if is_used:
        with empty_database.begin() as connection:
            connection.execute(text("INSERT INTO audit_entries (entry) VALUES ('{}')"))

    migrations.upgrade(empty_database, ROLE)

    with empty_database.connect() as connection:
        is_packed = connection.scalar(text("SELECT audit_entries_are_packed()"))
    assert is_packed is not is_used
