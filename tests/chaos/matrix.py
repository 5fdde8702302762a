"""The matrix: each neighbour fails in each way while all clients go on, and gets well again."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos import census
from tests.chaos.client import Answer, Door
from tests.chaos.clients import EVENT, Clients
from tests.chaos.events import EventWatch
from tests.chaos.faults import PASS
from tests.chaos.judgement import Fate, Times, find_faults, find_slowness, measure, p95
from tests.chaos.neighbours import Cell
from tests.chaos.operations import Operation
from tests.chaos.stack import ChaosService
from tests.chaos.traffic import Traffic, burst

_AFTER_BUDGET: Final = 3.0  # seconds that a fault lasts longer than its budget
_SOONEST, _LATEST = 4.0, 40.0  # seconds after a fault, until all is well
_BURST: Final = 32  # requests at once: more than there are threads
_CALM: Final = 2.0  # seconds in which all must be well then
_TRIES: Final = 3  # at most, where a p95 would be that of one or two answers


@dataclass
class Row:
    """One cell: how each operation fared in all tries, and the faults, for people to read."""

    cell: Cell
    fates: Mapping[str, Fate]
    faults: list[str] = field(default_factory=list)


@dataclass
class Matrix:
    """All rows of one set-up, with the quiet p95 of each operation in seconds, the latest ones."""

    rows: list[Row] = field(default_factory=list)
    quiet: dict[str, float] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """All that failed."""
        return [fault for row in self.rows for fault in row.faults]


class MatrixRun:
    """One run over some cells, through one door."""

    def __init__(self, service: ChaosService, clients: Clients, door: Door, quiet: float) -> None:
        self._service, self._clients, self._door = service, clients, door
        self._quiet_seconds = quiet
        self._operations: tuple[Operation, ...] = (*clients.operations(), EVENT)
        self._before: census.Census = {}
        self.matrix = Matrix()

    async def run(self, cells: Sequence[Cell]) -> Matrix:
        """Try the cells one after the other; the quiet is measured anew for each neighbour."""
        await self._warm()
        with EventWatch(self._service) as watch:
            async with Traffic(self._door, self._clients.operations()) as traffic:
                await asyncio.sleep(3)
                self._before, name = census.count(self._service), ""
                for cell in cells:
                    if cell.neighbour.name != name:
                        name = cell.neighbour.name
                        self.matrix.quiet = await self._measure_quiet(traffic, watch)
                    row = await self._try(cell, traffic, watch)
                    row.faults += [_name_place(cell, "leak", leak) for leak in self._find_leaks()]
                    self.matrix.rows.append(row)
                    _report(row)
        return self.matrix

    def _find_leaks(self) -> list[str]:
        """List what has grown since the run began; each leak once."""
        counts = census.count(self._service)
        leaks = list(census.find_leaks(self._before, counts))
        if leaks:
            self._before = counts
        return leaks

    async def _warm(self) -> None:
        """Fill pools and caches to their brim, so that what grows later is a leak."""
        self._clients.prepare()
        for operation in self._clients.operations():
            if operation.name != "newcomer":
                await burst(self._door, operation.make_request, _BURST)

    async def _measure_quiet(self, traffic: Traffic, watch: EventWatch) -> dict[str, float]:
        """The p95 of each operation while no neighbour is ill, in seconds."""
        began = time.monotonic()
        self._clients.prepare()
        await asyncio.sleep(self._quiet_seconds)
        answers = [one for one in (*traffic.answers, *watch.answers) if one.began >= began]
        return {
            operation.name: p95([one.seconds for one in answers if one.operation == operation.name])
            for operation in self._operations
        }

    async def _try(self, cell: Cell, traffic: Traffic, watch: EventWatch) -> Row:
        """Try a cell, and again where it was slow: the same fault, its answers with those before.

        All that is not p95 is judged of each alone.
        """
        fates, faults = await self._try_once(cell, traffic, watch)
        row = Row(cell, fates)
        for _ in range(_TRIES - 1):
            if not list(self._judge_pace(row)):
                break
            # A busy machine may have slowed them: the slower side of the fault counts as quiet.
            after = await self._measure_quiet(traffic, watch)
            self.matrix.quiet = {
                name: max(seconds, after[name]) for name, seconds in self.matrix.quiet.items()
            }
            if not list(self._judge_pace(row)):
                break
            fates, more = await self._try_once(cell, traffic, watch)
            faults += more
            row.fates = {name: row.fates[name] + fate for name, fate in fates.items()}
        row.faults += [*faults, *self._judge_pace(row)]
        return row

    async def _try_once(
        self, cell: Cell, traffic: Traffic, watch: EventWatch
    ) -> tuple[dict[str, Fate], list[str]]:
        self._clients.prepare()
        traffic.answers.clear()
        watch.forget()
        fault = time.monotonic()
        self._service.proxies.set_fault(cell.neighbour.name, cell.fault)
        await asyncio.sleep(cell.neighbour.budget + _AFTER_BUDGET)
        heal = time.monotonic()
        self._service.proxies.set_fault(cell.neighbour.name, PASS)
        times = Times(fault, heal)
        await self._wait_until_well(times, traffic, watch)
        await traffic.settle(heal, _LATEST)
        answers = [one for one in (*traffic.answers, *watch.answers) if one.end > fault]
        fates = {one.name: measure(one, answers, times) for one in self._operations}
        faults = [
            _name_place(cell, one.name, text)
            for one in self._operations
            for text in find_faults(cell, one, fates[one.name])
        ]
        return fates, faults

    def _judge_pace(self, row: Row) -> Iterator[str]:
        for operation in self._operations:
            fate, quiet = row.fates[operation.name], self.matrix.quiet[operation.name]
            for text in find_slowness(row.cell, operation, fate, quiet):
                yield _name_place(row.cell, operation.name, text)

    async def _wait_until_well(self, times: Times, traffic: Traffic, watch: EventWatch) -> None:
        """Wait until nobody has fared badly for a while, at most for so long."""
        await asyncio.sleep(_SOONEST)
        while (now := time.monotonic()) < times.heal + _LATEST:
            answers: list[Answer] = [*traffic.answers, *watch.answers]
            recoveries = [
                measure(operation, answers, times).recovery for operation in self._operations
            ]
            if times.heal + max(recoveries) < now - _CALM:
                return
            await asyncio.sleep(0.5)


def _name_place(cell: Cell, operation: str, text: str) -> str:
    return f"{cell.neighbour.name}, {cell.fault.kind}, {operation}: {text}"


def _report(row: Row) -> None:
    verdict = "holds" if not row.faults else f"{len(row.faults)} faults"
    print(f"{row.cell.neighbour.name}, {row.cell.fault.kind}: {verdict}", flush=True)
    for fault in row.faults:
        print(f"  {fault}", flush=True)
