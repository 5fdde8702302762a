"""The slow-client table: how long others' listings take while a crowd stands at the door."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.chaos.client import Answer, Door, ask
from tests.chaos.clients import Clients
from tests.chaos.judgement import p95
from tests.chaos.operations import LISTING, get
from tests.chaos.slow_clients import Crowd, Siege, Target

_PAUSE: Final = 0.1  # seconds between two listings
_ARRIVAL: Final = 3.0  # seconds until a crowd is gone, and at least until it is there
_TARDY: Final = 30.0  # seconds in which all of it must have arrived
_FLOOR: Final = 0.05  # seconds that a listing may be slower, whatever it took when all was quiet
_LONGEST_ALONE: Final = 2.0  # seconds of any listing without nginx, while they arrive too
_PATIENCE: Final = 10.0  # seconds; more tells no more


@dataclass(frozen=True)
class SiegeRow:
    """One crowd, and others' listings, in seconds; `fault` is empty where it holds.

    `arrival` is the longest while they all begin at once: told, and with nginx not judged.
    """

    crowd: Crowd
    outcomes: dict[str, int]
    quiet: float
    arrival: float
    p95: float
    longest: float
    fault: str


async def besiege(
    clients: Clients, door: Door, crowds: Sequence[Crowd], seconds: float
) -> list[SiegeRow]:
    """Have each crowd come and go; gives what listings took meanwhile."""
    theirs = replace(door, source="127.0.2.1")
    target = Target(theirs, clients.sender, f"{clients.large_message()}/attachments/1/content")
    request = get(LISTING, clients.reader)
    rows = []
    for crowd in crowds:
        if crowd.searches:
            clients.fill()
        quiet = await _list(door, request, seconds / 2)
        with Siege(crowd, target) as siege:
            first = await _list_until_there(siege, door, request)
            answers = await _list(door, request, seconds)
        rows.append(_judge(crowd, door, quiet, first, answers))
        row = rows[-1]
        print(f"{crowd.count} {crowd.name}: {row.fault or 'holds'}", flush=True)
        await asyncio.sleep(_ARRIVAL)
    return rows


async def _list(door: Door, request: bytes, seconds: float) -> list[Answer]:
    """Listings at a steady pace, whatever they take."""
    tasks = []
    for _ in range(int(seconds / _PAUSE)):
        tasks.append(asyncio.create_task(ask("list", door, request, _PATIENCE)))
        await asyncio.sleep(_PAUSE)
    return await asyncio.gather(*tasks)


async def _list_until_there(siege: Siege, door: Door, request: bytes) -> list[Answer]:
    answers: list[Answer] = []
    began = time.monotonic()
    while (waited := time.monotonic() - began) < _ARRIVAL or not siege.is_there:
        if waited > _TARDY:
            raise SystemExit("A crowd did not arrive.")
        answers += await _list(door, request, 1)
    return answers


def _judge(
    crowd: Crowd, door: Door, quiet: list[Answer], first: list[Answer], answers: list[Answer]
) -> SiegeRow:
    before = p95([answer.seconds for answer in quiet])
    meanwhile = p95([answer.seconds for answer in answers])
    longest = max(answer.seconds for answer in answers)
    arrival = max(answer.seconds for answer in first)
    outcomes = Counter(answer.outcome for answer in (*first, *answers))
    limit = max(2 * before, before + _FLOOR)
    fault = ""
    if set(outcomes) != {"ok"}:
        fault = "listings were not answered"
    elif door.has_tls and meanwhile > limit:
        fault = f"p95 may be {1000 * limit:.0f} ms"
    elif not door.has_tls and max(arrival, longest) > _LONGEST_ALONE:
        fault = f"a listing may take {_LONGEST_ALONE:g} s"
    return SiegeRow(crowd, dict(outcomes), before, arrival, meanwhile, longest, fault)
