"""What operators and senders type: `registry GROUP COMMAND`."""

import sys
from importlib.metadata import entry_points

import click

from registry import __version__
from registry.cli.audit import audit
from registry.cli.database import database
from registry.cli.events import events
from registry.cli.hold import hold
from registry.cli.jobs import jobs
from registry.cli.settings import settings
from registry.sender.command import publish
from registry.sender.token import token
from registry.settings import SettingsError


@click.group()
@click.version_option(__version__, prog_name="registry")
def registry() -> None:
    """Run and look after an e-Box MessageRegistry, or publish to one.

    The service's settings come from environment variables named REGISTRY_…; see `registry
    settings list`.
    """


registry.add_command(audit)
registry.add_command(database)
registry.add_command(events)
registry.add_command(hold)
registry.add_command(jobs)
registry.add_command(publish)
registry.add_command(settings)
registry.add_command(token)


def main() -> None:
    """Run the command line; wrong settings are listed, all at once, with exit code 2."""
    for command in entry_points(group="registry.commands"):  # extras bring their own
        registry.add_command(command.load(), command.name)
    try:
        registry()
    except SettingsError as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        sys.exit(2)
