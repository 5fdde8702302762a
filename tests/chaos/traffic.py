"""Requests that come at their own pace, whatever becomes of those before, as from many clients."""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final, Self

from tests.chaos.client import Answer, Door, ask
from tests.chaos.operations import Operation

_MOST: Final = 80  # requests of an operation that wait for their answers; then none is added


class Traffic:
    """All operations through one door, from `async with` to its end; `answers` grows meanwhile."""

    def __init__(self, door: Door, operations: Sequence[Operation]) -> None:
        self.answers: list[Answer] = []
        self._door, self._operations = door, operations
        self._arrivals: list[asyncio.Task[None]] = []
        self._requests: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for number, operation in enumerate(self._operations, 1):
            # From an address of its own, as limits by address have it.
            door = replace(self._door, source=f"127.0.1.{number}")
            self._arrivals.append(asyncio.create_task(self._arrive(operation, door)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._arrivals, *self._requests):
            task.cancel()
        await asyncio.gather(*self._arrivals, *self._requests, return_exceptions=True)

    async def settle(self, instant: float, patience: float) -> None:
        """Wait until all that was asked before an instant is answered."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(
            float(task.get_name()) < instant for task in self._requests
        ):
            await asyncio.sleep(0.05)

    async def _arrive(self, operation: Operation, door: Door) -> None:
        waiting: set[asyncio.Task[None]] = set()
        pause = 1 / operation.rate
        await asyncio.sleep(random.uniform(0, pause))
        due = time.monotonic()
        while True:
            if len(waiting) < _MOST:
                task = asyncio.create_task(self._ask(operation, door), name=str(time.monotonic()))
                for tasks in (waiting, self._requests):
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
            due += pause
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def _ask(self, operation: Operation, door: Door) -> None:
        self.answers.append(await ask(operation.name, door, operation.make_request()))


async def burst(door: Door, make_request: Callable[[], bytes], count: int) -> Collection[Answer]:
    """So many at once, to fill pools and caches; gives their answers."""
    return await asyncio.gather(*(ask("burst", door, make_request()) for _ in range(count)))
