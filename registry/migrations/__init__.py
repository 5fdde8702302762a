"""The steps from one shape of the database to the next, run by the owner of the tables."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

_FOLDER: Final = Path(__file__).parent


WORKER_ROLE: Final = "registry_worker"


def upgrade(
    engine: Engine,
    application_role: str,
    revision: str = "head",
    *,
    worker_role: str = WORKER_ROLE,
) -> None:
    """Bring the database to `revision`; the roles are granted what service and worker need."""
    with engine.begin() as connection:
        command.upgrade(_config(connection, application_role, worker_role), revision)
        for role in _list_roles(connection, application_role, worker_role):
            # By the revision they know whether the database fits them.
            connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {role}")


def downgrade(
    engine: Engine, application_role: str, revision: str, *, worker_role: str = WORKER_ROLE
) -> None:
    """Take the database back to `revision`; `base` leaves nothing."""
    with engine.begin() as connection:
        command.downgrade(_config(connection, application_role, worker_role), revision)
        if revision == "base":
            for role in _list_roles(connection, application_role, worker_role):
                connection.exec_driver_sql(f"REVOKE ALL ON alembic_version FROM {role}")


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """The revision that the database is at, and the newest there is."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory(str(_FOLDER)).get_current_head()


def _list_roles(connection: Connection, *names: str) -> list[str]:
    """List those of these roles that there are, in quotes; some come with a later revision."""
    query = text("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = ANY(:names)")
    return list(connection.execute(query, {"names": list(names)}).scalars())


def _config(connection: object, application_role: str, worker_role: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes.update(
        connection=connection, application_role=application_role, worker_role=worker_role
    )
    return config
