"""Both tables as Markdown, and what in them does not hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from registry.sandbox.drill.report_page import describe_run
from tests.chaos.matrix import Matrix
from tests.chaos.sieges import SiegeRow

_INTRODUCTION: Final = """\
# Resilience, measured

{run}

A proxy stands before each neighbour of the registry and fails it in each way, while clients go on
at their own pace; `tests/chaos/neighbours.py` says who needs whom, and how long an answer may take.

A cell says how many requests ended how, the longest that one took, and for how long after the
neighbour was well again some still fared badly. `ok` is any 2xx; `cut`: less came than was
promised; `dropped`: no answer; `refused`: no connection; `none`: nobody waited longer; `503 bare`:
without Retry-After. `event` is the worker's: its time is from the outbox to the federation.
"""


@dataclass
class SetUp:
    """What was measured in one set-up of servers; `absence` says why nothing was."""

    name: str
    matrix: Matrix = field(default_factory=Matrix)
    sieges: Sequence[SiegeRow] = ()
    absence: str = ""

    @property
    def faults(self) -> list[str]:
        """All that does not hold."""
        sieges = (row for row in self.sieges if row.fault)
        return [
            *self.matrix.faults,
            *(f"{row.crowd.count} {row.crowd.name}: {row.fault}" for row in sieges),
        ]


def write_report(set_ups: Sequence[SetUp], command: str) -> str:
    """Compose the whole document."""
    lines = [_INTRODUCTION.format(run=describe_run(command))]
    for set_up in set_ups:
        lines += [f"## {set_up.name}", ""]
        if set_up.absence:
            lines += [f"Left out: {set_up.absence}.", ""]
            continue
        lines += [*_write_matrix(set_up.matrix), "", *_write_sieges(set_up.sieges), ""]
        lines += ["### What does not hold", ""]
        lines += [f"- {fault}" for fault in set_up.faults] or ["Nothing: all of it holds."]
        lines += [""]
    return "\n".join(lines)


def _write_matrix(matrix: Matrix) -> Iterator[str]:
    if not matrix.rows:
        return
    names = list(matrix.quiet)
    yield "### Neighbours"
    yield ""
    yield from _write_row("neighbour", "fault", *names)
    yield from _write_row(*["---"] * (len(names) + 2))
    quiet = (f"p95 {1000 * seconds:.0f} ms" for seconds in matrix.quiet.values())
    yield from _write_row("(all are well)", "", *quiet)
    for row in matrix.rows:
        fates = (str(row.fates[name]) for name in names)
        yield from _write_row(row.cell.neighbour.name, row.cell.fault.kind, *fates)


def _write_sieges(rows: Sequence[SiegeRow]) -> Iterator[str]:
    if not rows:
        return
    yield "### Slow clients"
    yield ""
    yield from _write_row(
        "crowd",
        "listings of another company",
        "p95 before",
        "longest while all begin at once",
        "p95 then",
        "longest then",
    )
    yield from _write_row(*["---"] * 6)
    for row in rows:
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in row.outcomes.items())
        times = (
            f"{1000 * seconds:.0f} ms" for seconds in (row.quiet, row.arrival, row.p95, row.longest)
        )
        yield from _write_row(f"{row.crowd.count} {row.crowd.name}", outcomes, *times)


def _write_row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |"
