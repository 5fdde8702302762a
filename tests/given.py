"""A PostgreSQL server that was there before the tests."""

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

_ROLES = {
    "owner": "CREATE ROLE owner LOGIN CREATEROLE PASSWORD {}",
    "registry_application": "CREATE ROLE registry_application NOLOGIN",
    "registry_worker": "CREATE ROLE registry_worker NOLOGIN",
    "application": "CREATE ROLE application LOGIN PASSWORD {} IN ROLE registry_application",
    "worker": "CREATE ROLE worker LOGIN PASSWORD {} IN ROLE registry_application, registry_worker",
}


class GivenCluster:
    """The server of REGISTRY_TEST_DATABASE_URL, a superuser's; offers what `Cluster` does."""

    def __init__(self, url):
        self._url = make_url(url).set(drivername="postgresql")

    def __enter__(self):
        with self._connected() as connection:
            known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role, statement in _ROLES.items():
                if role not in known:
                    password = sql.Literal(self._url.password or "")
                    connection.execute(sql.SQL(statement).format(password))
        return self

    def __exit__(self, *_):
        return None

    def url(self, user="owner", database="registry"):
        """The same server for another user, with the same password."""
        changed = self._url.set(username=user, database=database)
        return changed.render_as_string(hide_password=False)

    def create_database(self, database, *, template="template1"):
        """A database of `owner`."""
        self._execute("CREATE DATABASE {} OWNER owner TEMPLATE {}", database, template)

    def drop_database(self, database):
        """Remove it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", database)

    def _execute(self, statement, *names):
        with self._connected() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connected(self):
        url = self._url.render_as_string(hide_password=False)
        return psycopg.connect(url, autocommit=True)
