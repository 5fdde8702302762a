"""Commands that start a sandbox, look after it and stop it."""

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from registry.sandbox.commands import options

if TYPE_CHECKING:
    from registry.sandbox.supervisor import Supervisor


@click.command()
@options.directory
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where the registry listens, on loopback.",
)
@click.option("--detach", is_flag=True, help="Return when all is ready; `down` stops it.")
@click.option("--keep", is_flag=True, help="Go on with the data of the last time.")
@click.option("--seeds/--empty", default=True, help="Whether a new registry holds test data.")
@click.option("--terse", is_flag=True, hidden=True, help="For the supervisor behind --detach.")
def up(directory: Path, port: int, *, detach: bool, keep: bool, seeds: bool, terse: bool) -> None:
    """Start everything and wait; Ctrl-C stops it all.

    Starts from fresh data unless --keep is given; the personas' keys always stay. Where everything
    is stands in DIR/sandbox.json while the sandbox is up, and the logs are in DIR/logs. Figures for
    Prometheus are on loopback where METRICS_PORT and WORKER_METRICS_PORT say: those of the web
    server, and those of the worker.

    Example: registry sandbox up --detach
    """
    from registry.sandbox import detached
    from registry.sandbox.commands import screens
    from registry.sandbox.layout import Layout
    from registry.sandbox.ownership import Occupied
    from registry.sandbox.servers.binaries import PostgresMissing
    from registry.sandbox.servers.processes import Interrupted, StartFailed
    from registry.sandbox.supervisor import Supervisor

    layout = Layout.at(directory)
    wishes = ["--keep"] * keep + ["--empty"] * (not seeds)
    try:
        if detach:
            screens.show_places(layout, detached.start(layout, port, wishes, click.echo))
            click.echo("Ready. `registry sandbox down` stops everything.")
        else:
            _attend(Supervisor(layout, port, say=click.echo, keep=keep, seeds=seeds), terse)
    except (Occupied, StartFailed, PostgresMissing) as error:
        raise click.ClickException(str(error)) from None
    except Interrupted:
        click.echo("Stopped before it was ready.")
        sys.exit(128 + signal.SIGINT)


def _attend(supervisor: "Supervisor", terse: bool) -> None:
    from registry.sandbox.commands import screens

    with supervisor.up() as document:
        if not terse:
            screens.show_places(supervisor.layout, document)
        click.echo("Ready. Ctrl-C stops everything.")
        supervisor.watch()
    click.echo("Stopped.")


@click.command()
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Free one when 0.")
def demo(port: int) -> None:
    """Start a fresh sandbox, walk through the main job, stop it; exit code 0 if all held.

    Example: registry sandbox demo
    """
    from rich.console import Console

    from registry.sandbox.demo import audit, lifecycle, publication, tour, versions
    from registry.sandbox.layout import Layout
    from registry.sandbox.ownership import Occupied
    from registry.sandbox.servers.binaries import PostgresMissing
    from registry.sandbox.servers.processes import StartFailed, free_port
    from registry.sandbox.supervisor import Supervisor

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


@click.command()
@options.directory
def down(directory: Path) -> None:
    """Stop the sandbox that runs in DIR, from any terminal.

    Example: registry sandbox down --dir .sandbox
    """
    from registry.sandbox import ownership
    from registry.sandbox.layout import Layout

    layout = Layout.at(directory)
    was_running = ownership.take_down(layout)
    click.echo("Stopped." if was_running else f"No sandbox is running in {layout.directory}.")


@click.command()
@options.directory
def status(directory: Path) -> None:
    """Show the processes and whether the registry is well; exit code 1 unless all is.

    Example: registry sandbox status
    """
    from registry.sandbox.commands import screens

    if not screens.show_status(*options.running(directory)):
        sys.exit(1)
