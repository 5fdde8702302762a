"""A database that is in use comes from the release before this one to this one, with all it has."""

import os
import time
from contextlib import contextmanager
from uuid import uuid4

import click
import pytest
from sqlalchemy import create_engine, text

from registry import migrations
from tests.conftest import ROLE
from tests.journeys.crowd import fill_ebox_tables, vacuum_partitions
from tests.store.test_migrations import differences
from tests.store.test_online_migrations import LONGEST, Load, plant

pytestmark = pytest.mark.journey

MANY = int(os.environ.get("JOURNEY_MESSAGES", "2000"))
BEFORE = "0015"  # where databases were before what *Scale* brought
TABLES = ("messages", "search_texts", "attachments", "sent_messages", "legal_holds")
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid OR NOT indisready"


@contextmanager
def a_crowded_database(cluster):
    """A database of that release, filled: its owner's engine, and its application's."""
    name = f"crowded_{uuid4().hex[:12]}"
    cluster.create_database(name)
    owner, superuser, service = (
        create_engine(cluster.url(role, name)) for role in ("owner", "postgres", "application")
    )
    try:
        migrations.upgrade(owner, ROLE, BEFORE)
        with superuser.begin() as connection:
            fill_ebox_tables(connection, MANY)
        plant(owner)
        vacuum_partitions(superuser)
        yield owner, service
    finally:
        for engine in (owner, superuser, service):
            engine.dispose()
        cluster.drop_database(name)


def read_old_rows(owner):
    """How many rows there were before the load, and a sum over them, by table."""
    statement = (
        "SELECT count(*), sum(hashtext(t.ebox)::bigint) FROM {} AS t"
        " WHERE t.ebox < 'enterprise:0000001000'"
    )
    with owner.connect() as connection:
        return {table: connection.execute(text(statement.format(table))).one() for table in TABLES}


def test_a_crowded_database_is_migrated_while_all_go_on(cluster):
    with a_crowded_database(cluster) as (owner, service):
        rows = read_old_rows(owner)
        reports = []

        began = time.monotonic()
        with Load(service) as load:
            migrations.upgrade(owner, ROLE, report=reports.append)
        took = time.monotonic() - began

        click.echo(
            f"{MANY:,} messages: migrated from {BEFORE} in {took:.0f} s, beside"
            f" {len(load.waits):,} calls, of which the longest took {max(load.waits):.2f} s;"
            f" {len(reports)} waits for a lock"
        )
        assert load.errors == []
        assert max(load.waits) < LONGEST
        assert rows["messages"][0] >= MANY
        assert read_old_rows(owner) == rows
        assert differences(owner) == []
        with owner.connect() as connection:
            assert connection.execute(text(INVALID)).all() == []
