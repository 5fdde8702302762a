"""The steps from one shape of the database to the next, run by the owner of the tables."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from registry.migrations import partitions
from registry.migrations.locks import PATIENCE, MigrationBlocked, hold_lock, retry_locked
from registry.migrations.losses import DowngradeRefused, Loss, find_losses
from registry.migrations.partitions import PartitionsRefused

__all__ = [
    "PATIENCE",
    "WORKER_ROLE",
    "DowngradeRefused",
    "Loss",
    "MigrationBlocked",
    "PartitionsRefused",
    "divide",
    "downgrade",
    "revisions",
    "upgrade",
]

_FOLDER: Final = Path(__file__).parent


WORKER_ROLE: Final = "registry_worker"

Report = Callable[[str], None]


def upgrade(
    engine: Engine,
    application_role: str,
    revision: str = "head",
    *,
    worker_role: str = WORKER_ROLE,
    report: Report = lambda _: None,
    patience: float = PATIENCE,
) -> None:
    """Bring the database to `revision`; the roles are granted what service and worker need.

    Each revision is a transaction of its own, which gives up rather than let readers wait behind it
    for a table, and is tried again, for `patience` seconds. `report` is told in a sentence whom or
    what it waits for. Raises `MigrationBlocked`.
    """
    with engine.connect() as connection, hold_lock(connection, report):
        config = _config(connection, application_role, worker_role)

        def grant() -> None:
            with connection.begin():
                for role in _list_roles(connection, application_role, worker_role):
                    # By the revision they know whether the database fits them.
                    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {role}")

        for step in _list_steps(connection, revision):
            retry_locked(connection, step, _do_upgrade(config, step), report, patience)
        grant()


def divide(engine: Engine, number: int, report: Report = lambda _: None) -> None:
    """Divide the tables of an empty database into so many hash partitions each.

    Raises `PartitionsRefused` when it is not empty, and has another number.
    """
    with engine.connect() as connection, hold_lock(connection, report):
        partitions.divide(connection, number)


def downgrade(
    engine: Engine,
    application_role: str,
    revision: str,
    *,
    worker_role: str = WORKER_ROLE,
    drops: Collection[str] = (),
    report: Report = lambda _: None,
) -> None:
    """Take the database back to `revision`; `base` leaves nothing.

    Raises `DowngradeRefused` when that would drop a table or column with something in it which is
    not among the names in `drops`, or when there is something in `drops` that would stay.
    """
    with engine.connect() as connection, hold_lock(connection, report):
        config = _config(connection, application_role, worker_role)
        losses: list[Loss] = []

        def go_back() -> None:
            command.downgrade(config, revision)
            if revision == "base":
                for role in _list_roles(connection, application_role, worker_role):
                    connection.exec_driver_sql(f"REVOKE ALL ON alembic_version FROM {role}")

        def rehearse() -> None:
            losses[:] = find_losses(connection, go_back)

        def perform() -> None:
            with connection.begin():
                go_back()

        retry_locked(connection, revision, rehearse, report, PATIENCE)
        if {loss.name for loss in losses} != set(drops):
            raise DowngradeRefused(revision, losses, drops)
        retry_locked(connection, revision, perform, report, PATIENCE)


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """The revision that the database is at, and the newest there is."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory(str(_FOLDER)).get_current_head()


def _list_steps(connection: Connection, target: str) -> Sequence[str]:
    """List the revisions between the database's and `target`, the first one first."""
    script = ScriptDirectory(str(_FOLDER))
    steps = [step.revision for step in script.walk_revisions("base", target)][::-1]
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    if current is None:
        return steps
    script.get_revision(current)  # raises for one that is newer than this program
    return steps[steps.index(current) + 1 :] if current in steps else []


def _do_upgrade(config: Config, step: str) -> Callable[[], None]:
    return lambda: command.upgrade(config, step)


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
