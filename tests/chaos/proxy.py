"""A TCP proxy before one neighbour of the registry, which fails it in the way it is told to.

    with Proxies() as proxies:
        port = proxies.open("postgresql", 5432)
        proxies.set_fault("postgresql", Fault("half-open"))

All proxies run in one process of their own, so that no client of the run slows them.
"""

import asyncio
import ctypes
import multiprocessing
import socket
import struct
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final, Self

from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.chaos.faults import ANSWERS, PASS, Fault, compose_answer

_PIECE: Final = 64 << 10  # bytes
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_DROP_ALL: Final = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF: return 0, of every packet nothing
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
_DRAIN: Final = 2.0  # seconds for a request whose answer is ready


def _fall_deaf(sock: socket.socket) -> None:
    """Have the kernel drop every packet for this socket before TCP sees it, ACKs included."""
    program = ctypes.create_string_buffer(_DROP_ALL)
    filters = struct.pack("HL", 1, ctypes.addressof(program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filters)


def _hear_again(sock: socket.socket) -> None:
    with suppress(OSError):  # it was never deaf
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


class _Link:
    """A client's connection and ours to the neighbour, with two streams of bytes between them."""

    def __init__(self, proxy: "_Proxy", reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._proxy = proxy
        self._reader, self._writer = reader, writer
        self._to_neighbour: asyncio.StreamWriter | None = None
        self._answer_bytes = 0  # since the fault began
        self._is_spoilt = False  # bytes were lost: this connection can never be well again
        self._task = asyncio.current_task()

    @property
    def _socket(self) -> socket.socket:
        sock: socket.socket = self._writer.get_extra_info("socket")
        return sock

    async def run(self) -> None:
        """Carry bytes until either side ends."""
        try:
            if self._proxy.fault.kind in ANSWERS:
                await self._answer_request(b"")
                return
            if self._proxy.fault.kind == "black hole":
                self._is_spoilt = True
                await self._proxy.has_changed()
                return
            reader, self._to_neighbour = await asyncio.open_connection(
                LOOPBACK, self._proxy.neighbour
            )
            await self._carry(reader, self._to_neighbour)
        except OSError:
            pass
        finally:
            self._close()

    def change(self, fault: Fault) -> None:
        """Take part in a new fault, or get well: a spoilt connection is reset then."""
        self._answer_bytes = 0
        if fault.kind == "half-open":
            self._is_spoilt = True
            _fall_deaf(self._socket)
        elif fault.kind == "refuse" or self._is_spoilt:
            self.reset()

    def reset(self) -> None:
        """End it with a RST, as a host does that knows nothing of it."""
        _hear_again(self._socket)
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()
        if self._task:
            self._task.cancel()

    async def _carry(
        self, answers: asyncio.StreamReader, to_neighbour: asyncio.StreamWriter
    ) -> None:
        streams = {
            asyncio.create_task(self._carry_requests(to_neighbour)),
            asyncio.create_task(self._carry_answers(answers)),
        }
        try:
            await asyncio.wait(streams, return_when=asyncio.FIRST_COMPLETED)
            # Of half a connection nobody here makes use, but for what is still on its way.
            await asyncio.wait(streams, timeout=0.05)
        finally:
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    async def _carry_requests(self, to_neighbour: asyncio.StreamWriter) -> None:
        while data := await self._reader.read(_PIECE):
            kind = self._proxy.fault.kind
            if kind in ANSWERS:
                await self._answer_request(data)
                return
            if kind in {"black hole", "half-open"}:
                self._is_spoilt = True
                continue
            to_neighbour.write(data)
            await to_neighbour.drain()

    async def _carry_answers(self, answers: asyncio.StreamReader) -> None:
        while data := await answers.read(_PIECE):
            fault = self._proxy.fault
            if fault.kind in {"black hole", "half-open"}:
                self._is_spoilt = True
                await self._proxy.has_changed()
                return
            if fault.kind == "drip":
                data = await self._drip(data, fault)
            if fault.kind == "cut":
                data = data[: max(0, fault.number - self._answer_bytes)]
            self._answer_bytes += len(data)
            self._writer.write(data)
            await self._writer.drain()
            if fault.kind == "cut" and self._answer_bytes >= fault.number:
                return

    async def _drip(self, data: bytes, fault: Fault) -> bytes:
        """Send byte by byte as long as the fault lasts; gives what is left then."""
        for position in range(len(data)):
            if self._proxy.fault != fault:
                return data[position:]
            self._writer.write(data[position : position + 1])
            await self._writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._proxy.has_changed(), 1 / fault.number)
        return b""

    async def _answer_request(self, data: bytes) -> None:
        """Answer in the neighbour's place, once the head of a request is here."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN):
                while b"\r\n\r\n" not in data:
                    more = await self._reader.read(_PIECE)
                    if not more:
                        return
                    data += more
        kind = self._proxy.fault.kind
        self._writer.write(compose_answer(kind if kind in ANSWERS else "503"))
        await self._writer.drain()
        self._writer.write_eof()
        with suppress(TimeoutError):  # closed with bytes unread, a socket says RST, not our answer
            async with asyncio.timeout(_DRAIN):
                while await self._reader.read(_PIECE):
                    pass

    def _close(self) -> None:
        for writer in filter(None, (self._writer, self._to_neighbour)):
            writer.close()


class _Proxy:
    """Listens on one port for one neighbour; `fault` is what befalls its connections now."""

    def __init__(self, neighbour: int) -> None:
        self.neighbour, self.port = neighbour, free_port()
        self.fault = PASS
        self._listener: socket.socket | None = None
        self._acceptance: asyncio.Task[None] | None = None
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()  # or they are garbage while they run
        self._change = asyncio.Event()

    async def has_changed(self) -> None:
        """Wait for the next fault, or the end of this one."""
        await self._change.wait()

    def listen(self) -> None:
        """Accept connections from now on."""
        self._listener = socket.create_server((LOOPBACK, self.port), backlog=512)
        self._listener.setblocking(False)
        self._acceptance = asyncio.create_task(self._accept(self._listener))

    async def set_fault(self, fault: Fault) -> None:
        """Have this befall connections, old and new."""
        self.fault = fault
        self._change.set()
        self._change = asyncio.Event()
        await self._stop_listening()  # whoever waits in its queue belongs to the fault before
        for link in list(self._links):
            link.change(fault)
        if fault.kind != "refuse":
            self.listen()
        if fault.kind == "half-open" and self._listener:
            _fall_deaf(self._listener)

    async def _stop_listening(self) -> None:
        if self._acceptance:
            self._acceptance.cancel()
            await asyncio.gather(self._acceptance, return_exceptions=True)
        if self._listener:
            self._listener.close()
        self._acceptance = self._listener = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.remove(link)


async def _obey(orders: Connection) -> None:
    """Open proxies and set their faults as the parent says; end when it is gone."""
    loop = asyncio.get_running_loop()
    proxies: dict[str, _Proxy] = {}
    with suppress(EOFError):
        while True:
            name, what = await loop.run_in_executor(None, orders.recv)
            if isinstance(what, Fault):
                await proxies[name].set_fault(what)
            else:
                proxies[name] = _Proxy(what)
                proxies[name].listen()
            orders.send(proxies[name].port)


def _run(orders: Connection) -> None:
    asyncio.run(_obey(orders))


class Proxies:
    """The process of all proxies, by the names of the neighbours behind them."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.close()
        self._process.join(5)
        self._process.kill()

    def open(self, name: str, port: int) -> int:
        """Put a proxy before the neighbour on this port; gives the port to use instead."""
        return self._tell(name, port)

    def set_fault(self, name: str, fault: Fault) -> None:
        """Fail, or with `PASS` get well, from now on."""
        self._tell(name, fault)

    def _tell(self, name: str, what: int | Fault) -> int:
        self._orders.send((name, what))
        port: int = self._orders.recv()
        return port
