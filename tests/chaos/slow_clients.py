"""Clients that take their time, or ask too much: each kind as what one of them does.

They run in a process of their own, all begin at once, and come back when they are cut off.
"""

import asyncio
import multiprocessing
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing.synchronize import Event
from typing import Final, Self

from tests.chaos.client import Door
from tests.chaos.operations import LISTING, get, publish
from tests.service import BASE, PublicationRequest

_SMALL_BUFFER: Final = 4096  # bytes
_BODY: Final = 400_000  # bytes of an upload
_NICENESS: Final = 10  # their own work is done elsewhere: it takes no processor of the registry's
_FAR_PAGE: Final = f"{BASE}/ebox/messages?q=belasting&qlang=nl&pageSize=100&page=150"


Arrive = Callable[[], None]  # says that a client is there: what it holds, it holds


@dataclass(frozen=True)
class Target:
    """What they go for, with whose token: never the company that is measured."""

    door: Door
    token: str
    document: str  # path of a large one


async def _wait_for_its_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(_SMALL_BUFFER):
        pass


async def _send_and_wait(target: Target, arrive: Arrive, data: bytes) -> None:
    reader, writer = await target.door.connect()
    try:
        writer.write(data)
        await writer.drain()
        arrive()
        await _wait_for_its_end(reader)
    finally:
        writer.close()


async def _idle(target: Target, arrive: Arrive) -> None:
    await _send_and_wait(target, arrive, b"")


async def _send_half_a_head(target: Target, arrive: Arrive) -> None:
    await _send_and_wait(target, arrive, get(LISTING, target.token)[:60])


async def _send_half_a_body(target: Target, arrive: Arrive) -> None:
    request = _make_publication(target)
    await _send_and_wait(target, arrive, request[: -_BODY // 2])


@cache
def _compose_body() -> bytes:
    return PublicationRequest(b"%PDF-1.7\n".ljust(_BODY, b"x")).body


def _make_publication(target: Target) -> bytes:
    """A right one, so that nobody refuses it before its end."""
    return publish(target.token, _compose_body())


async def _read_slowly(target: Target, arrive: Arrive) -> None:
    reader, writer = await target.door.connect(_SMALL_BUFFER)
    try:
        writer.write(get(target.document, target.token))
        while await reader.read(1000):
            arrive()
            await asyncio.sleep(1)
    finally:
        writer.close()


async def _upload_slowly(target: Target, arrive: Arrive) -> None:
    request = _make_publication(target)
    head = len(request) - _BODY
    reader, writer = await target.door.connect()
    try:
        writer.write(request[:head])
        for start in range(head, len(request), 5000):
            writer.write(request[start : start + 5000])
            await writer.drain()
            arrive()
            await asyncio.sleep(0.25)
        await _wait_for_its_end(reader)
    finally:
        writer.close()


async def _ask_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> int:
    """Ask on a connection that stays, and give the status; raises when it ends all the same."""
    writer.write(data.replace(b"Connection: close\r\n", b""))
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"\r\ncontent-length:")
    await reader.readexactly(int(length.split(b"\r\n")[0] or 0))
    if b"\r\nconnection: close" in head:
        raise ConnectionResetError
    return int(head.split(b" ", 2)[1])


async def _guess_tokens(target: Target, arrive: Arrive) -> None:
    """Ten guesses a second, and the late ones sooner."""
    reader, writer = await target.door.connect()
    loop = asyncio.get_running_loop()
    due = loop.time()
    try:
        while True:
            await _ask_on(reader, writer, get(LISTING, secrets.token_urlsafe(48)))
            arrive()
            due = max(due + 0.1, loop.time() - 1)
            await asyncio.sleep(due - loop.time())
    finally:
        writer.close()


async def _search_hard(target: Target, arrive: Arrive) -> None:
    """One search after the other; who is refused tries again long before he should."""
    reader, writer = await target.door.connect()
    try:
        while True:
            status = await _ask_on(reader, writer, get(_FAR_PAGE, target.token))
            arrive()
            if status == 429:
                await asyncio.sleep(0.1)
    finally:
        writer.close()


@dataclass(frozen=True)
class Crowd:
    """So many clients of one kind; `searches`: they need something to look through."""

    name: str
    count: int
    behave: Callable[[Target, Arrive], Awaitable[None]]
    searches: bool = False


CROWDS: Final = (
    Crowd("idle connections", 200, _idle),
    Crowd("half-sent headers", 100, _send_half_a_head),
    Crowd("half-sent bodies", 100, _send_half_a_body),
    Crowd("downloads that read 1 kB/s", 100, _read_slowly),
    Crowd("uploads at 20 kB/s", 20, _upload_slowly),
    Crowd("guessers of ten tokens a second", 100, _guess_tokens),
    Crowd("heavy searchers", 12, _search_hard, searches=True),
)
# What fewer threads than clients must stand without nginx.
CROWDS_ALONE: Final = (
    Crowd("half-sent headers", 64, _send_half_a_head),
    Crowd("half-sent bodies", 64, _send_half_a_body),
)


class Siege:
    """A crowd at the door for the length of the block."""

    def __init__(self, crowd: Crowd, target: Target) -> None:
        context = multiprocessing.get_context("spawn")
        self._arrival = context.Event()
        arguments = (crowd, target, self._arrival)
        self._process = context.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    @property
    def is_there(self) -> bool:
        """Tell if every one of them has arrived once."""
        return self._arrival.is_set()

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


def _run(crowd: Crowd, target: Target, arrival: Event) -> None:
    os.nice(_NICENESS)
    _compose_body()
    asyncio.run(_besiege(crowd, target, arrival))


async def _besiege(crowd: Crowd, target: Target, arrival: Event) -> None:
    missing = set(range(crowd.count))

    def arrive(number: int) -> None:
        missing.discard(number)
        if not missing:
            arrival.set()

    async def persist(number: int) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await crowd.behave(target, partial(arrive, number))
            await asyncio.sleep(0.2)

    await asyncio.gather(*(persist(number) for number in range(crowd.count)))
