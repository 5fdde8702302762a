"""The number of hash partitions, chosen while a database is empty."""

import pytest
from sqlalchemy import create_engine, text

from registry import migrations
from registry.domain.queries import MessageQuery
from registry.migrations.partitions import choose_number
from registry.sandbox.seeds import reference
from registry.store.consultation import message_list, messages
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.transactions import name_ebox
from tests.conftest import ROLE
from tests.factories import NOON, a_message, an_ebox
from tests.store.tables import PARTITIONED
from tests.store.test_migrations import differences

pytestmark = pytest.mark.process

# What a partition is beside its parent: options of the table, statistics of its indexes.
PARTS = text("""
SELECT p.inhparent::regclass::text AS of, c.reloptions,
  (SELECT array_agg(kind ORDER BY kind) FROM (
    SELECT (w.inhparent::regclass::text, a.attname, a.attstattarget)::text AS kind
    FROM pg_index i JOIN pg_inherits w ON w.inhrelid = i.indexrelid
    JOIN pg_attribute a ON a.attrelid = i.indexrelid
    WHERE i.indrelid = c.oid) AS kinds) AS indexes
FROM pg_inherits p JOIN pg_partitioned_table t ON t.partrelid = p.inhparent AND t.partstrat = 'h'
JOIN pg_class c ON c.oid = p.inhrelid AND c.relkind = 'r'
""")


def count_partitions(engine):
    """By table."""
    counts = {}
    with engine.connect() as connection:
        for part in connection.execute(PARTS):
            counts[part.of] = counts.get(part.of, 0) + 1
    return counts


def list_kinds(engine):
    with engine.connect() as connection:
        return {str(part) for part in connection.execute(PARTS)}


def test_a_new_database_has_as_many_partitions_as_are_asked_for(empty_database):
    migrations.upgrade(empty_database, ROLE)
    kinds = list_kinds(empty_database)

    migrations.divide(empty_database, 3)
    migrations.divide(empty_database, 3)

    assert count_partitions(empty_database) == {table.name: 3 for table in PARTITIONED}
    assert list_kinds(empty_database) == kinds
    assert differences(empty_database) == []


def test_messages_go_where_they_belong_and_stay_apart(empty_database):
    migrations.upgrade(empty_database, ROLE)
    migrations.divide(empty_database, 3)
    with empty_database.begin() as connection:
        reference.plant(connection)
    eboxes = [an_ebox() for _ in range(8)]
    service = create_engine(empty_database.url.set(username="application"))
    known = KnownSizes(large_from=10**6)

    for ebox in eboxes:
        with service.begin() as connection:
            name_ebox(connection, ebox)
            messages.add(connection, ebox, a_message(ebox), [])

    for ebox in eboxes:
        with service.begin() as connection:
            name_ebox(connection, ebox)
            page = message_list.read_page(
                connection, ebox, MessageQuery(), partitions=None, now=NOON, known_sizes=known
            )
            assert page.total == 1
            everything = connection.execute(text("SELECT count(*) FROM messages")).scalar_one()
            assert everything == 1
    service.dispose()


def test_a_database_with_something_in_it_keeps_its_number(empty_database):
    migrations.upgrade(empty_database, ROLE)
    with empty_database.begin() as connection:
        reference.plant(connection)
        messages.add(connection, ebox := an_ebox(), a_message(ebox), [])
    before = count_partitions(empty_database)

    with pytest.raises(migrations.PartitionsRefused, match="messages has 16 partitions and some"):
        migrations.divide(empty_database, 8)
    migrations.divide(empty_database, 16)

    assert count_partitions(empty_database) == before


def test_more_partitions_than_anybody_can_plan_for_are_refused(empty_database):
    migrations.upgrade(empty_database, ROLE)

    with pytest.raises(migrations.PartitionsRefused, match="257 partitions are more than 256"):
        migrations.divide(empty_database, 257)


def test_later_revisions_come_to_a_database_of_any_number(empty_database):
    migrations.upgrade(empty_database, ROLE, "0015")
    migrations.divide(empty_database, 3)

    migrations.upgrade(empty_database, ROLE)

    assert count_partitions(empty_database) == {table.name: 3 for table in PARTITIONED}
    assert differences(empty_database) == []


@pytest.mark.parametrize(
    ("expected", "number"),
    [(1, 16), (32_000_000, 16), (32_000_001, 32), (80_000_000, 64), (10**12, 64)],
)
def test_there_is_a_partition_for_each_two_million_messages(expected, number):
    assert choose_number(expected) == number
