"""`python -m tests.dashboard`: a picture of deploy/grafana over a sandbox that is used.

Starts a sandbox and Debian's prometheus, uses the sandbox for a while, has one bad minute in it,
asks what each panel asks, draws the panels, and stops everything again, also on Ctrl-C.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click
import requests

from registry.sandbox.layout import Document, Layout, stand_ins
from registry.sandbox.servers.binaries import PostgresMissing
from registry.sandbox.servers.processes import Interrupted, StartFailed, free_ports, pause
from registry.sandbox.supervisor import Supervisor
from tests.dashboard.drawing import draw
from tests.dashboard.panels import Dashboard
from tests.dashboard.prometheus import Prometheus
from tests.dashboard.visitors import Visitors

ROOT: Final = Path(__file__).parents[2]
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "registry.json"
CAPTION: Final = (
    "Drawn from deploy/grafana/registry.json by `make dashboard-picture`, not by Grafana: "
    "a sandbox in use for {seconds} s, introspection and event service failing for {bad:.0f} s."
)
_BAD_DAY: Final = {"introspect": "error", "events": "error"}
_BAD_SHARE: Final = 0.15  # of the time, from its middle on


@click.command()
@click.option("--seconds", default=300, show_default=True, type=click.IntRange(60, 3600))
@click.option(
    "--output",
    default=ROOT / "docs" / "dashboard.png",
    type=click.Path(dir_okay=False, path_type=Path),
)
def main(seconds: int, output: Path) -> None:
    """Use a sandbox for so many seconds, and draw its dashboard."""
    dashboard = Dashboard.read(DASHBOARD)
    serving, worker, registry = free_ports(3)
    os.environ.update(METRICS_PORT=str(serving), WORKER_METRICS_PORT=str(worker))
    targets = {"registry": serving, "registry-worker": worker}
    with tempfile.TemporaryDirectory(prefix="registry-dashboard-") as folder:
        layout = Layout.at(Path(folder) / "sandbox")
        try:
            prometheus = Prometheus(Path(folder) / "prometheus", targets)
            with (
                Supervisor(layout, registry, say=click.echo).up() as document,
                prometheus,
            ):
                beginning = time.time()
                _use(layout, document, seconds)
                end = time.time()
                lines = {
                    panel: [
                        (query.name_line(line.labels), line)
                        for query in panel.queries
                        for line in prometheus.ask(query.expression, beginning, end)
                        if line.points
                    ]
                    for panel in dashboard.panels
                }
        except (PostgresMissing, StartFailed) as error:
            raise click.ClickException(str(error)) from None
        except Interrupted:
            click.echo("Stopped; no picture was drawn.", err=True)
            sys.exit(130)
    draw(dashboard, lines, CAPTION.format(seconds=seconds, bad=seconds * _BAD_SHARE), output)
    empty = [panel.title for panel in dashboard.panels if not lines[panel]]
    click.echo(f"{output}: {len(lines)} panels, without data: {', '.join(empty) or 'none'}")


def _use(layout: Layout, document: Document, seconds: float) -> None:
    """Have visitors for so long, with a bad time for the neighbours in the middle."""
    click.echo(f"In use for {seconds} s …")
    with Visitors(layout, document) as visitors:
        pause(seconds * 0.5)
        _set_faults(document, _BAD_DAY)
        pause(seconds * _BAD_SHARE)
        _set_faults(document, {})
        pause(seconds * (0.5 - _BAD_SHARE))
    click.echo("Answers: " + ", ".join(f"{what}: {n}" for what, n in visitors.answers.items()))


def _set_faults(document: Document, faults: dict[str, str]) -> None:
    with requests.Session() as session:
        session.trust_env = False  # it is on loopback, whatever proxy is set
        url = f"{stand_ins(document)}/sandbox/faults"
        session.put(url, json=faults, timeout=10).raise_for_status()


if __name__ == "__main__":
    main()
