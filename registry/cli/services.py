"""The services while a command needs them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from registry import wiring
from registry.domain.errors import RegistryError
from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings
from registry.wiring import Registry
from registry.wiring.worker import WorkerServices, assemble_worker


@contextmanager
def service() -> Iterator[Registry]:
    """Give the service, through the application's role."""
    with _errors_in_one_line():
        # Nobody collects metrics of a command that ends, so none are observed.
        registry = wiring.assemble(Settings.load(os.environ), lambda *_: None)
        try:
            yield registry
        finally:
            registry.dispose()


@contextmanager
def worker_services() -> Iterator[WorkerServices]:
    """Give the services that look across e-Boxes, through the worker's role."""
    with _errors_in_one_line():
        services = assemble_worker(Settings.load(os.environ))
        try:
            yield services
        finally:
            services.dispose()


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    # These are written for operators; of anything else the traceback is wanted.
    except (KeyUnusable, RegistryError) as error:
        raise click.ClickException(str(error)) from None
