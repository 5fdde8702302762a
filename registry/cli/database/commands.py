"""The database: its shape, and whether its roles are safe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from registry.cli.services import load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from registry.settings import Settings
    from registry.settings.part import PartName


@click.command()
@click.option("--revision", default="head", show_default=True, help="Where to stop.")
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="How long a revision is tried again while somebody has its tables in use; else 600.",
)
@click.option(
    "--partitions",
    metavar="NUMBER",
    type=click.IntRange(1),
    help="Hash partitions of each table of messages, in a new database: up to 256; else 16.",
)
@click.option(
    "--expected-messages",
    metavar="NUMBER",
    type=click.IntRange(1),
    help="How many messages will be kept at a time: chooses the partitions of a new database.",
)
def migrate(
    *, revision: str, patience: float | None, partitions: int | None, expected_messages: int | None
) -> None:
    """Bring the database to the newest shape, as the owner of the tables.

    Needs REGISTRY_DATABASE_OWNER_URL. Running it again changes nothing. The application's role,
    REGISTRY_DATABASE_APPLICATION_ROLE, is created when it does not exist and granted what the
    service needs.

    The service may go on meanwhile: a lock that cannot be had within half a second is given up and
    asked for again later, so that no request waits behind it. Several at once wait for each other,
    and say for whom. Interrupted, it leaves the last revision that is whole.

    The number of hash partitions is chosen while the database is empty: 16, or one for each two
    million messages that are expected.

    Example: registry database migrate --expected-messages 80000000
    """
    if partitions is not None and expected_messages is not None:
        raise click.UsageError("--partitions and --expected-messages are two ways to say the same.")
    with _as_owner("The database could not be migrated: ") as (engine, settings):
        from registry import migrations
        from registry.migrations.partitions import choose_number

        if expected_messages is not None:
            partitions = choose_number(expected_messages)

        migrations.upgrade(
            engine,
            settings.database_application_role,
            revision,
            worker_role=settings.database_worker_role,
            report=_report,
            patience=migrations.PATIENCE if patience is None else patience,
        )
        if partitions is not None:
            migrations.divide(engine, partitions, _report)
        current, _ = migrations.revisions(engine)
    click.echo(f"The database is at revision {current}.")


@click.command()
@click.option("--revision", required=True, help="Where to go back to; `base` drops everything.")
@click.option(
    "--drop",
    "drops",
    metavar="NAME",
    multiple=True,
    help="A table, or column as TABLE.COLUMN, that may be dropped with all that is in it; "
    "repeatable.",
)
@click.confirmation_option(prompt="This deletes data. Go on?")
def downgrade(*, revision: str, drops: tuple[str, ...]) -> None:
    """Take the database back to an older shape, as the owner of the tables.

    What that would drop with something in it, as the audit trail, must be named; without the names
    it lists them and changes nothing. Stop the service first, and make a backup.

    Example: registry database downgrade --revision 0003 --drop audit_entries --drop audit_seals
    """
    with _as_owner("The downgrade failed: ") as (engine, settings):
        from registry import migrations

        migrations.downgrade(
            engine,
            settings.database_application_role,
            revision,
            worker_role=settings.database_worker_role,
            drops=drops,
            report=_report,
        )
    click.echo(f"The database is at revision {revision}.")


@click.command()
def check() -> None:
    """Say whether the database has the newest shape and can be served from.

    Its application role must be safe, and must be able to write an audit entry. A warning, on
    standard error, says when PostgreSQL's own log would have personal numbers in it.

    Example: registry database check
    """
    with _as_owner("", "application database") as (engine, settings):
        from registry import migrations
        from registry.wiring.operators import check_database

        current, newest = migrations.revisions(engine)
        if current != newest:
            raise click.ClickException(f"The database is at revision {current}, not at {newest}.")
        # By the application's own connection: the owner's says nothing of that role.
        check_database(settings)
        _warn_of_log(settings)
    click.echo(
        f"The database is at revision {current}, the newest, its role is safe, and audit entries"
        " can be written."
    )


@click.command()
def pack_entries() -> None:
    """Have new entries of the audit trail packed, once no older program runs.

    They take half the room then. Workers and commands of a program before revision 0019 can neither
    seal nor find what is packed: after an upgrade run this when the last of them is gone, and when
    nobody thinks of going back. Until then entries are written as both read them. A database that
    began with this program packs from the start. Running it again changes nothing.

    Needs REGISTRY_DATABASE_OWNER_URL.

    Example: registry database pack-entries
    """
    with _as_owner("Entries cannot be packed: ") as (engine, _):
        from registry import migrations
        from registry.audit.store.packing_switch import begin_packing

        current, newest = migrations.revisions(engine)
        if current != newest:
            raise click.ClickException(
                f"The database is at revision {current}, not at {newest}:"
                " `registry database migrate` comes first."
            )
        with engine.begin() as connection:
            begin_packing(connection)
    click.echo("New entries of the audit trail are packed, within a minute everywhere.")


def _warn_of_log(settings: "Settings") -> None:
    """Warn, for the connections of the service, that parameters would be logged, if so."""
    from registry.store.server_log import find_telling_settings
    from registry.wiring.database import make_engine

    engine = make_engine(settings)
    try:
        with engine.connect() as connection:
            telling_settings = find_telling_settings(connection)
    finally:
        engine.dispose()
    if telling_settings:
        _report(
            f"Warning: {', '.join(telling_settings)}: a statement that PostgreSQL logs has its"
            " parameters beside it, personal numbers among them. Set to 0, as"
            " deploy/runbooks/database.md says."
        )


def _report(sentence: str) -> None:
    """Say what is waited for, beside the result."""
    click.echo(sentence, err=True)


@contextmanager
def _as_owner(prefix: str = "", *parts: "PartName") -> Iterator[tuple["Engine", "Settings"]]:
    """Give the owner's engine for the block; errors come as one line behind `prefix`.

    The running service is better off without the owner's password, and this without all the rest:
    `parts` of the settings are needed beside it.
    """
    settings = load_settings("owner database", *parts)
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from registry import migrations
    from registry.domain.errors import RegistryError
    from registry.store.driver_words import read_driver_words
    from registry.wiring.database import make_engine

    engine = make_engine(settings, "owner")
    try:
        yield engine, settings
    except (
        SQLAlchemyError,
        CommandError,
        RegistryError,
        migrations.DowngradeRefused,
        migrations.MigrationBlocked,
        migrations.PartitionsRefused,
    ) as error:
        raise click.ClickException(f"{prefix}{read_driver_words(error)}") from None
    finally:
        engine.dispose()
