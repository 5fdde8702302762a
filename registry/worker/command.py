"""`registry worker`: everything that is done by the clock."""

import os
import sys
from typing import TYPE_CHECKING

import click

from registry.http_client.private_key import KeyUnusable
from registry.settings import Settings
from registry.wiring.worker import WorkerServices, assemble_worker

if TYPE_CHECKING:
    from registry.worker.jobs import Job


@click.command()
@click.option(
    "--metrics-port",
    envvar="METRICS_PORT",
    type=click.IntRange(1, 65535),
    help="Serve metrics for Prometheus on this port; METRICS_PORT says it too.",
)
@click.option(
    "--metrics-host",
    envvar="METRICS_HOST",
    default="127.0.0.1",
    show_default=True,
    help="Where to serve them; METRICS_HOST says it too.",
)
@click.option("--once", is_flag=True, help="Do each duty until nothing is left, then end.")
@click.option("--only", multiple=True, metavar="DUTY", help="Do this duty only; repeatable.")
def worker(
    *, metrics_port: int | None, metrics_host: str, once: bool, only: tuple[str, ...]
) -> None:
    """Tell the federation what happens, remind, purge, sweep and seal, until SIGTERM.

    The duties are deliver, remind, alert, route, purge, sweep, seal, months and measure. Any number
    of workers may run at once: of many, one does what the clock asks for, each event is told by
    one, and each audit entry is sealed by one.

    The metric registry_worker_heartbeat_seconds{duty=…} is the Unix time when a duty last went
    well, were it only that nothing was to be done. Each is well several times in five minutes, so
    let an alarm ring when time() - registry_worker_heartbeat_seconds > 600.

    With --once it does not ask whose turn it is, for schedulers of your own, and ends with exit
    code 1 if anything was in the way.
    """
    # Late: `registry` loads this module for each of its commands, and this one alone needs these.
    from registry.telemetry import logs  # noqa: PLC0415
    from registry.worker.threads import JobThreads  # noqa: PLC0415
    from registry.worker.worker import Unfit, Worker  # noqa: PLC0415

    duties = _chosen(only)
    settings = Settings.load(os.environ)
    logs.configure(settings.log_level)
    worker_services = _assembled(settings, len(duties))
    try:
        if metrics_port and not once:
            _serve(metrics_port, metrics_host)
        with JobThreads() as crew:
            shift = Worker(worker_services, duties, crew)
            is_well = shift.work_once() if once else shift.work()
            crew.run(worker_services.dispose)
    except Unfit as error:
        raise click.ClickException(str(error)) from None
    sys.exit(not is_well)


def _chosen(only: tuple[str, ...]) -> "list[Job]":
    from registry.worker.jobs import DUTIES  # noqa: PLC0415 - as above

    names = [duty.name for duty in DUTIES]
    if unknown := set(only) - set(names):
        raise click.UsageError(f"There is no duty {min(unknown)!r}; there are {', '.join(names)}.")
    return [duty for duty in DUTIES if not only or duty.name in only]


def _assembled(settings: Settings, threads: int) -> WorkerServices:
    """The services, with a connection for each thread, so that none waits for another's."""
    connections = max(threads, settings.database_pool_size)
    try:
        return assemble_worker(settings.model_copy(update={"database_pool_size": connections}))
    except KeyUnusable as error:
        raise click.ClickException(str(error)) from None


def _serve(port: int, host: str) -> None:
    from registry.telemetry.worker import serve  # noqa: PLC0415 - as above

    try:
        serve(port, host)
    except OSError as error:
        raise click.ClickException(f"No metrics on port {port}: {error.strerror}.") from None
