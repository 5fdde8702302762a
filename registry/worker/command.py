"""`registry worker`: everything that is done by the clock."""

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.settings import Settings
    from registry.wiring.worker import WorkerServices
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
@click.option("--once", is_flag=True, help="Do each job until nothing is left, then end.")
@click.option("--only", multiple=True, metavar="JOB", help="Do this job only; repeatable.")
def worker(
    *, metrics_port: int | None, metrics_host: str, once: bool, only: tuple[str, ...]
) -> None:
    """Tell the federation what happens, remind, purge, sweep, verify and seal, until SIGTERM.

    The jobs are deliver, remind, alert, route, broadcast, purge, forget, sweep, count, seal, file,
    months, verify and measure. verify reads every stored document once in
    REGISTRY_DOCUMENT_CHECK_DAYS, forget deletes events told REGISTRY_EVENTS_KEPT_DAYS ago.
    Any number of workers may run at once: of many, one does what the clock asks for, each event is
    told by one, and each audit entry is sealed by one.

    The metric registry_worker_heartbeat_seconds{duty=…} is the Unix time when a job last went
    well, were it only that nothing was to be done. Each is well several times in five minutes, so
    let an alarm ring when time() - registry_worker_heartbeat_seconds > 600.

    With --once, for schedulers of your own, it does not ask for the lease of a job, and ends with
    exit code 1 if anything was in the way.

    Example: registry worker --metrics-port 9101
    """
    from registry.settings.part import load_part

    settings = load_part(os.environ, "worker")
    jobs = _choose_jobs(only)
    from registry.telemetry import logs, output
    from registry.worker.threads import JobThreads
    from registry.worker.worker import Unfit, Worker

    logs.configure(settings.log_level)
    worker_services = _assemble(settings, len(jobs))
    try:
        if metrics_port and not once:
            _serve(metrics_port, metrics_host)
        with JobThreads() as threads:
            process = Worker(worker_services, jobs, threads)
            is_well = process.work_once() if once else process.work()
            threads.run(worker_services.dispose)
    except Unfit as error:
        raise click.ClickException(str(error)) from None
    finally:
        output.flush()
    sys.exit(not is_well)


def _choose_jobs(only: tuple[str, ...]) -> list["Job"]:
    from registry.worker.jobs import JOBS

    names = [job.name for job in JOBS]
    if unknown := set(only) - set(names):
        raise click.UsageError(f"There is no job {min(unknown)!r}; there are {', '.join(names)}.")
    return [job for job in JOBS if not only or job.name in only]


def _assemble(settings: "Settings", threads: int) -> "WorkerServices":
    """The services, with a connection for each thread, so that none waits for another's."""
    from registry.domain.errors import KeyUnusable
    from registry.wiring.worker import assemble_worker

    connections = max(threads, settings.database_pool_size)
    try:
        return assemble_worker(settings.model_copy(update={"database_pool_size": connections}))
    except KeyUnusable as error:
        raise click.ClickException(str(error)) from None


def _serve(port: int, host: str) -> None:
    from registry.telemetry import worker as telemetry

    try:
        telemetry.serve(port, host)
    except OSError as error:
        raise click.ClickException(f"No metrics on port {port}: {error.strerror}.") from None
