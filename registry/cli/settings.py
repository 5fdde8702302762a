"""The settings: what there is, and whether what is set can work."""

import os
from contextlib import ExitStack

import click
from pydantic_core import PydanticUndefined
from rich.table import Table

from registry import wiring
from registry.domain.errors import RegistryError
from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings
from registry.settings.fault import PREFIX
from registry.terminal.screen import make_console
from registry.wiring.worker import assemble_worker


@click.group()
def settings() -> None:
    """List and check the settings."""


@settings.command("list")
def list_() -> None:
    """List every setting with its default."""
    table = Table("variable", "default", box=None)
    for name, field in Settings.model_fields.items():
        is_required = field.default is PydanticUndefined
        default = "required" if is_required else _shorten(field.default)
        table.add_row(PREFIX + name.upper(), default)
    make_console().print(table)


@settings.command()
@click.option("--online", is_flag=True, help="Also ask database, document store and OAuth server.")
def check(*, online: bool) -> None:
    """Say everything that is wrong with the settings at once; exit code 2 if anything is.

    The worker's are looked at where REGISTRY_DATABASE_WORKER_URL is set.
    """
    values = Settings.load(os.environ)
    try:
        with ExitStack() as afterwards:
            registry = wiring.assemble(values, lambda *_: None)
            afterwards.callback(registry.dispose)
            if online:
                registry.readiness.check()
            if values.database_worker_url is not None:
                worker_services = assemble_worker(values)
                afterwards.callback(worker_services.dispose)
                if online:
                    worker_services.readiness.check()
    except (KeyUnusable, RegistryError) as error:
        # 2, as for settings that cannot be read: to whoever deploys it is the same fault.
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    click.echo("The settings are complete.")


def _shorten(default: object) -> str:
    # None and empty texts show nothing, but 0 is a default like any other.
    text = str(default) if default or default == 0 else ""
    return text if len(text) <= 60 else f"{text[:57]}…"
