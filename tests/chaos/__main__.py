"""`python -m tests.chaos`: fail every neighbour in every way, and print who was answered what.

Ends with 1 when an answer takes longer than its budget, when an operation suffers that does not
need the neighbour, when somebody recovers late, or when something is not given back.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from tests.chaos.client import Door
from tests.chaos.clients import Clients
from tests.chaos.matrix import MatrixRun
from tests.chaos.neighbours import Cell, all_cells, few_cells
from tests.chaos.report import SetUp, write_report
from tests.chaos.sieges import besiege
from tests.chaos.slow_clients import CROWDS, CROWDS_ALONE, Crowd
from tests.chaos.stack import ChaosService
from tests.nginx import NGINX


@dataclass(frozen=True)
class Scope:
    """How much is tried in a set-up: cells, crowds, and seconds of quiet and of a siege."""

    cells: Sequence[Cell]
    crowds: Sequence[Crowd]
    quiet: float = 10.0
    siege: float = 10.0


_LONG: Final = (Scope(all_cells(), CROWDS_ALONE), Scope(all_cells(), CROWDS))
_SHORT: Final = (
    Scope(few_cells(), CROWDS_ALONE, 4.0, 4.0),
    Scope(few_cells()[1:2], CROWDS[1:3], 4.0, 4.0),
)


@click.command(help=__doc__)
@click.option("--short", is_flag=True, help="What CI runs, within three minutes.")
@click.option("--only", multiple=True, metavar="TEXT", help="Cells like 's3' or 's3/cut' alone.")
@click.option("--without-sieges", is_flag=True, help="Leave the slow clients out.")
@click.option("--report", type=click.Path(path_type=Path), help="Write both tables here too.")
def main(*, short: bool, only: tuple[str, ...], without_sieges: bool, report: Path | None) -> None:
    """Run what was asked for in both set-ups, print it, and say with the status if it holds."""
    started = time.monotonic()
    scopes = [_narrow(scope, only, without_sieges) for scope in (_SHORT if short else _LONG)]
    with tempfile.TemporaryDirectory() as folder, ChaosService(Path(folder)) as service:
        service.fill()
        service.worker = service.start_worker()
        set_ups = [
            _run("gunicorn alone", service, service.serve_alone(), scopes[0]),
            _run("Debian's nginx in front", service, service.serve_behind_nginx(), scopes[1])
            if NGINX
            else SetUp("Debian's nginx in front", absence="nginx is not installed"),
        ]
    text = write_report(set_ups, f"make chaos{'-short' if short else ''}")
    click.echo(text)
    click.echo(f"{time.monotonic() - started:.0f} s in all")
    if report:
        report.write_text(text, encoding="utf-8")
    sys.exit(any(set_up.faults for set_up in set_ups))


def _narrow(scope: Scope, only: Sequence[str], without_sieges: bool) -> Scope:
    cells = [cell for cell in scope.cells if not only or any(text in str(cell) for text in only)]
    return replace(scope, cells=cells, crowds=() if without_sieges else scope.crowds)


def _run(
    name: str, service: ChaosService, server: AbstractContextManager[Door], scope: Scope
) -> SetUp:
    """Measure one set-up, which is served meanwhile."""
    set_up = SetUp(name)
    click.echo(f"{name}:")
    with server as door:
        clients = Clients(service)
        if scope.cells:
            run = MatrixRun(service, clients, door, scope.quiet)
            set_up.matrix = asyncio.run(run.run(scope.cells))
        if scope.crowds:
            set_up.sieges = asyncio.run(besiege(clients, door, scope.crowds, scope.siege))
    return set_up


if __name__ == "__main__":
    main()
