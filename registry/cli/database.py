"""The database: its shape, and whether its roles are safe."""

import os

import click
from sqlalchemy.exc import SQLAlchemyError

from registry import wiring
from registry.domain.errors import RegistryError
from registry.settings import Settings
from registry.store import migrations


@click.group()
def database() -> None:
    """Create and upgrade the database."""


@database.command()
@click.option("--revision", default="head", show_default=True, help="Where to stop.")
def migrate(revision: str) -> None:
    """Bring the database to the newest shape, as the owner of the tables.

    Needs REGISTRY_DATABASE_OWNER_URL. Running it again changes nothing. The application's role,
    REGISTRY_DATABASE_APPLICATION_ROLE, is created when it does not exist and granted what the
    service needs.
    """
    settings = _settings()
    engine = wiring.database(settings, owner=True)
    try:
        migrations.upgrade(engine, settings.database_application_role, revision)
        current, _ = migrations.revisions(engine)
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"The database could not be migrated: {_reason(error)}"
        ) from None
    click.echo(f"The database is at revision {current}.")


@database.command()
@click.option("--revision", required=True, help="Where to go back to; `base` drops everything.")
@click.confirmation_option(prompt="This deletes data. Go on?")
def downgrade(revision: str) -> None:
    """Take the database back to an older shape, as the owner of the tables."""
    settings = _settings()
    engine = wiring.database(settings, owner=True)
    try:
        migrations.downgrade(engine, settings.database_application_role, revision)
    except SQLAlchemyError as error:
        raise click.ClickException(f"The downgrade failed: {_reason(error)}") from None
    click.echo(f"The database is at revision {revision}.")


@database.command()
def check() -> None:
    """Say whether the database has the newest shape and its application role is safe."""
    settings = _settings()
    try:
        current, newest = migrations.revisions(wiring.database(settings, owner=True))
        wiring.assemble(settings, lambda *_: None).monitoring.check()
    except (SQLAlchemyError, RegistryError) as error:
        raise click.ClickException(_reason(error)) from None
    if current != newest:
        raise click.ClickException(f"The database is at revision {current}, not at {newest}.")
    click.echo(f"The database is at revision {current}, the newest, and its role is safe.")


def _settings() -> Settings:
    settings = Settings.load(os.environ)
    if settings.database_owner_url is None:
        raise click.ClickException("REGISTRY_DATABASE_OWNER_URL is not set.")
    return settings


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
