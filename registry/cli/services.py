"""The services while a command needs them, from the settings that it names.

Settings come first, and imports after them: whoever forgot one is told at once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from registry.cli.operator import find_operator
from registry.domain.errors import KeyUnusable, RegistryError

if TYPE_CHECKING:
    from registry.audit.investigation import Investigation
    from registry.audit.resumption import Resumption
    from registry.services.publication.routing import Routing
    from registry.settings import Settings
    from registry.settings.part import PartName
    from registry.wiring.audit import AuditServices
    from registry.wiring.operators import OperatorServices


@contextmanager
def worker_services(*parts: "PartName") -> Iterator["OperatorServices"]:
    """Give the services that look across e-Boxes, through the worker's role.

    `parts` of the settings are needed beside its database.
    """
    settings = load_settings("worker database", *parts)
    from registry.wiring.operators import OperatorServices

    with database_errors_in_one_line():
        services = OperatorServices(settings, find_operator())
        try:
            yield services
        finally:
            services.dispose()


@contextmanager
def routing() -> Iterator["Routing"]:
    """Give the routing, through the application's role."""
    settings = load_settings("application database", "partitions")
    from registry.wiring.operators import open_routing

    with database_errors_in_one_line(), open_routing(settings) as service:
        yield service


@contextmanager
def audit_services() -> Iterator["AuditServices"]:
    """Give what looks at the trail, for which no key but public ones is needed."""
    settings = load_settings("worker database", "seals", "trail")
    from registry.wiring.audit import assemble_audit

    with database_errors_in_one_line():
        services = assemble_audit(settings, find_operator())
        try:
            yield services
        finally:
            services.dispose()


@contextmanager
def open_trail() -> Iterator["Investigation"]:
    """Give the same to a process that helps to look at it."""
    from registry.wiring.audit import assemble_audit

    services = assemble_audit(load_settings("worker database", "seals", "trail"))
    try:
        yield services.investigation
    finally:
        services.dispose()


@contextmanager
def audit_resumption() -> Iterator["Resumption"]:
    """Give what has sealing go on from an older database, through the owner's role."""
    settings = load_settings("owner database", "seals", "seal key", "trail")
    from registry.wiring.audit import assemble_resumption

    with database_errors_in_one_line("Sealing could not be resumed: "):
        resumption = assemble_resumption(settings, find_operator())
        try:
            yield resumption
        finally:
            resumption.engine.dispose()


def load_settings(*parts: "PartName") -> "Settings":
    """Load these parts of the settings, whatever the others are; raises `SettingsError`."""
    from registry.settings.part import load_part

    return load_part(os.environ, *parts)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn errors that are written for operators into one line and exit code 1."""
    try:
        yield
    # Of anything else the traceback is wanted.
    except (KeyUnusable, RegistryError) as error:
        raise click.ClickException(explain_error(error)) from None


@contextmanager
def database_errors_in_one_line(prefix: str = "The database refuses: ") -> Iterator[None]:
    """Do the same, and turn what the database says into one line behind `prefix`."""
    from sqlalchemy.exc import SQLAlchemyError

    from registry.store.driver_words import read_driver_words

    with errors_in_one_line():
        try:
            yield
        except SQLAlchemyError as error:
            raise click.ClickException(f"{prefix}{read_driver_words(error)}") from None


def explain_error(error: Exception) -> str:
    """Say what went wrong; operators may know, and have to, what the database's driver said."""
    cause = error.__cause__
    # Clients of the service are told no more than that the database does not answer.
    if type(cause).__module__.partition(".")[0] not in ("sqlalchemy", "psycopg") or cause is None:
        return str(error)
    from registry.store.driver_words import read_driver_words

    return f"{str(error).removesuffix('.')}: {read_driver_words(cause)}"
