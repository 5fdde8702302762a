"""A client that asks once a connection, and notes how each answer ended and how long it took."""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Final

from registry.sandbox.servers.processes import LOOPBACK

PATIENCE: Final = 60.0  # seconds


@dataclass(frozen=True)
class Door:
    """Where the registry is reached: a loopback port, with TLS where nginx stands before it.

    `source` is the address that the client comes from; all of 127/8 is on loopback.
    """

    port: int
    has_tls: bool = False
    source: str = LOOPBACK

    async def connect(
        self, receive_buffer: int | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, whose kernel keeps few bytes unread if `receive_buffer` says so."""
        loop, sock = asyncio.get_running_loop(), socket.socket()
        try:
            sock.setblocking(False)
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.bind((self.source, 0))
            await loop.sock_connect(sock, (LOOPBACK, self.port))
            name = "localhost" if self.has_tls else None
            return await asyncio.open_connection(
                sock=sock,
                ssl=_trust_anybody() if self.has_tls else None,
                server_hostname=name,
                limit=receive_buffer or 1 << 20,
            )
        except BaseException:
            sock.close()
            raise


@cache
def _trust_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass(frozen=True)
class Answer:
    """How a request ended; `began` is by the monotonic clock, the rest in seconds.

    `outcome` is `ok`, the status (`503 bare`: without the Retry-After that it should have), `cut`
    when less came than was promised, `dropped` without any answer, `refused` without a connection,
    `none` when nobody waited any longer.
    """

    operation: str
    outcome: str
    began: float
    seconds: float

    @property
    def end(self) -> float:
        """When its last byte was there."""
        return self.began + self.seconds


async def ask(operation: str, door: Door, request: bytes, patience: float = PATIENCE) -> Answer:
    """Send a request, which must ask for the connection's end, and read the answer."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            outcome = await _exchange(door, request)
    except TimeoutError:
        outcome = "none"
    except ConnectionRefusedError:
        outcome = "refused"
    except OSError:
        outcome = "dropped"
    return Answer(operation, outcome, began, time.monotonic() - began)


async def _exchange(door: Door, request: bytes) -> str:
    reader, writer = await door.connect()
    try:
        writer.write(request)
        sending = asyncio.create_task(writer.drain())  # an answer may come before all is sent
        try:
            return judge(await _read(reader))
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """All that comes, and of what is reset midway what came before."""
    received = bytearray()
    try:
        while data := await reader.read(1 << 20):
            received += data
    except OSError:
        if not received:
            raise
    return bytes(received)


def judge(received: bytes) -> str:
    """Name the outcome of the bytes of an answer, or of none."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return "cut" if received else "dropped"
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (field.partition(":") for field in fields)
    }
    code = status.split(" ")[1]
    if not _is_whole(headers, body):
        return "cut"
    if code in {"502", "503"} and "retry-after" not in headers:
        return f"{code} bare"
    return "ok" if code.startswith("2") else code


def _is_whole(headers: dict[str, str], body: bytes) -> bool:
    if headers.get("transfer-encoding") == "chunked":
        return body.endswith(b"0\r\n\r\n")
    return len(body) == int(headers.get("content-length", len(body)))
