"""Migrated databases in the time that a copy takes: the migrations run once for each server."""

from contextlib import contextmanager
from types import SimpleNamespace
from uuid import uuid4

from sqlalchemy import create_engine

from registry import migrations
from registry.sandbox.seeds import reference
from registry.sandbox.servers.postgres import APPLICATION_ROLE

_patterns: dict[int, str] = {}


@contextmanager
def migrated_database(cluster, purpose="registry"):
    """Copy a database with all tables and reference data; gives each role's URL, drops it after."""
    name = f"{purpose}_{uuid4().hex[:12]}"
    cluster.create_database(name, template=_pattern(cluster))
    yield SimpleNamespace(
        owner=cluster.url("owner", name),
        application=cluster.url("application", name),
        worker=cluster.url("worker", name),
    )
    cluster.drop_database(name)


def _pattern(cluster):
    """Name the database of this server that is copied; migrate it at the first call."""
    if id(cluster) not in _patterns:
        name = f"pattern_{uuid4().hex[:12]}"
        cluster.create_database(name)
        engine = create_engine(cluster.url("owner", name))
        migrations.upgrade(engine, APPLICATION_ROLE)
        with engine.begin() as connection:
            reference.plant(connection)
        engine.dispose()  # PostgreSQL copies no database that somebody is connected to
        _patterns[id(cluster)] = name
    return _patterns[id(cluster)]


def drop_pattern(cluster):
    """Leave nothing behind on a server that outlives the tests."""
    pattern = _patterns.pop(id(cluster), None)
    if pattern:
        cluster.drop_database(pattern)
