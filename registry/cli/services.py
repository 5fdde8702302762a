"""The services while a command needs them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import SQLAlchemyError

from registry import wiring
from registry.audit.investigation import Investigation
from registry.audit.resumption import Resumption
from registry.cli.operator import find_operator
from registry.domain.errors import RegistryError
from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings
from registry.settings.part import load_part
from registry.wiring import Registry
from registry.wiring.audit import (
    AuditServices,
    assemble_audit,
    assemble_resumption,
    is_for_audit,
)
from registry.wiring.worker import WorkerServices, assemble_worker


@contextmanager
def service() -> Iterator[Registry]:
    """Give the service, through the application's role."""
    with errors_in_one_line():
        # Nobody collects metrics of a command that ends, so none are observed.
        registry = wiring.assemble(Settings.load(os.environ), lambda *_: None)
        try:
            yield registry
        finally:
            registry.dispose()


@contextmanager
def worker_services() -> Iterator[WorkerServices]:
    """Give the services that look across e-Boxes, through the worker's role."""
    with errors_in_one_line():
        services = assemble_worker(Settings.load(os.environ), operator=find_operator())
        try:
            yield services
        finally:
            services.dispose()


@contextmanager
def audit_services() -> Iterator[AuditServices]:
    """Give what looks at the trail, for which no key but public ones is needed."""
    with errors_in_one_line():
        services = assemble_audit(load_audit_settings(), find_operator())
        try:
            yield services
        finally:
            services.dispose()


@contextmanager
def open_trail() -> Iterator[Investigation]:
    """Give the same to a process that helps to look at it."""
    services = assemble_audit(load_audit_settings())
    try:
        yield services.investigation
    finally:
        services.dispose()


@contextmanager
def audit_resumption() -> Iterator[Resumption]:
    """Give what has sealing go on from an older database, through the owner's role."""
    with errors_in_one_line():
        resumption = assemble_resumption(load_audit_settings(), find_operator())
        try:
            yield resumption
        except SQLAlchemyError as error:
            # The driver's own words: SQLAlchemy adds the statement and a link, over many lines.
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise click.ClickException(f"Sealing could not be resumed: {reason}") from None
        finally:
            resumption.engine.dispose()


def load_audit_settings() -> Settings:
    """Load the settings with which the trail is looked at, whatever the others are."""
    return load_part(os.environ, is_for_audit)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn errors that are written for operators into one line and exit code 1."""
    try:
        yield
    # Of anything else the traceback is wanted.
    except (KeyUnusable, RegistryError) as error:
        raise click.ClickException(str(error)) from None
