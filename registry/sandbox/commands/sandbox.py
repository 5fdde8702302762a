"""`registry sandbox …`: start, look at, use and stop a local federation."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from registry.sandbox import detached, ownership, tokens
from registry.sandbox.commands import options, screens
from registry.sandbox.commands.event import event
from registry.sandbox.commands.events import events
from registry.sandbox.layout import Layout
from registry.sandbox.ownership import Occupied
from registry.sandbox.personas import PERSONAS
from registry.sandbox.servers.binaries import PostgresMissing
from registry.sandbox.servers.processes import Interrupted, StartFailed, free_port


@click.group()
def sandbox() -> None:
    """A whole local federation on loopback, from nothing.

    PostgreSQL, SeaweedFS (S3), stand-ins for the authorization server, the Partition API, the
    Federation WS and the Event Service, and this registry with test data.
    """


sandbox.add_command(event)
sandbox.add_command(events)


@sandbox.command()
@options.directory
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--detach", is_flag=True, help="Return when all is ready; `down` stops it.")
@click.option("--keep", is_flag=True, help="Go on with the data of the last time.")
@click.option("--seeds/--empty", default=True, help="Whether a new registry holds test data.")
@click.option("--terse", is_flag=True, hidden=True)  # for the supervisor behind --detach
def up(directory: Path, port: int, *, detach: bool, keep: bool, seeds: bool, terse: bool) -> None:
    """Start everything and wait; Ctrl-C stops it all.

    Starts from fresh data unless --keep is given; the personas' keys always stay. Where everything
    is stands in DIR/sandbox.json while the sandbox is up, and the logs are in DIR/logs.
    """
    layout = Layout.at(directory)
    wishes = ["--keep"] * keep + ["--empty"] * (not seeds)
    try:
        if detach:
            screens.show_places(layout, detached.start(layout, port, wishes, click.echo))
            click.echo("Ready. `registry sandbox down` stops everything.")
        else:
            _attend(layout, port, {"keep": keep, "seeds": seeds}, terse)
    except (Occupied, StartFailed, PostgresMissing) as error:
        raise click.ClickException(str(error)) from None
    except Interrupted:
        click.echo("Stopped before it was ready.")
        sys.exit(128 + signal.SIGINT)


def _attend(layout: Layout, port: int, wishes: dict[str, bool], terse: bool) -> None:
    # Late: `registry` loads this module for each of its commands, and this one alone needs a
    # database driver, an S3 client and a web server.
    from registry.sandbox.supervisor import Supervisor  # noqa: PLC0415

    supervisor = Supervisor(layout, port, say=click.echo, **wishes)
    with supervisor.up() as document:
        if not terse:
            screens.show_places(layout, document)
        click.echo("Ready. Ctrl-C stops everything.")
        supervisor.watch()
    click.echo("Stopped.")


@sandbox.command()
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Free one when 0.")
def demo(port: int) -> None:
    """Start a fresh sandbox, walk through the main job, stop it; exit code 0 if all held."""
    # Late, for the same reason as in `_attend`.
    from registry.sandbox.demo import (  # noqa: PLC0415
        audit,
        lifecycle,
        publication,
        tour,
        versions,
    )
    from registry.sandbox.supervisor import Supervisor  # noqa: PLC0415

    console = Console()
    with TemporaryDirectory(prefix="registry-demo-") as folder:
        layout = Layout.at(Path(folder) / "sandbox")
        try:
            supervisor = Supervisor(layout, port or free_port(), say=click.echo)
            with supervisor.up() as document:
                tour.tour(layout, document, console)
                publication.publication_tour(layout, document, console)
                versions.versions_tour(layout, document, console)
                lifecycle.lifecycle_tour(layout, document, console)
                audit.audit_tour(layout, document, console)
        except (Occupied, StartFailed, PostgresMissing, tour.DemoFailed) as error:
            raise click.ClickException(str(error)) from None
    console.print("Everything held, and everything is stopped.")


@sandbox.command()
@options.directory
def down(directory: Path) -> None:
    """Stop the sandbox that runs in DIR, from any terminal."""
    layout = Layout.at(directory)
    was_running = ownership.take_down(layout)
    click.echo("Stopped." if was_running else f"No sandbox is running in {layout.directory}.")


@sandbox.command()
@options.directory
def status(directory: Path) -> None:
    """Show the processes and whether the registry is well; exit code 1 unless all is."""
    if not screens.show_status(*options.running(directory)):
        sys.exit(1)


@sandbox.command()
@options.directory
@click.argument("persona")
@click.option("--scope", "scopes", multiple=True, help="Ask for this scope only; repeatable.")
def token(directory: Path, persona: str, scopes: tuple[str, ...]) -> None:
    """Print a bearer token of PERSONA, got the real way: with a signed assertion.

    For example: curl -H "Authorization: Bearer $(registry sandbox token portal-user)" …
    """
    layout, document = options.running(directory)
    if persona not in PERSONAS:
        raise click.UsageError(f"There is no persona {persona!r}; there are {', '.join(PERSONAS)}.")
    try:
        text = tokens.fetch(document["tokenUrl"], PERSONAS[persona], layout.keys, scopes=scopes)
    except tokens.TokenRefused as error:
        raise click.ClickException(f"The authorization server gave no token: {error}") from None
    click.echo(text)


@sandbox.command(
    "exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@options.directory
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(directory: Path, command: tuple[str, ...]) -> None:
    """Run COMMAND with this sandbox's settings in its environment; its exit code is ours.

    For example: registry sandbox exec -- registry database check
    """
    layout, document = options.running(directory)
    try:
        result = subprocess.run(
            command, env=layout.merge_environment(document, os.environ), check=False
        )
    except OSError as error:
        click.echo(f"{command[0]} cannot be run: {error.strerror}", err=True)
        sys.exit(127)
    code = result.returncode
    sys.exit(code if code >= 0 else 128 - code)  # as shells tell of a signal
