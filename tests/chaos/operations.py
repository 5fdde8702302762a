"""What clients do: each operation as the bytes of its requests, and how often it comes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from tests.service import BASE, BOUNDARY

LISTING: Final = f"{BASE}/ebox/messages?pageSize=25"


@dataclass(frozen=True)
class Operation:
    """One client's habit; `make_request` gives the bytes of the next request.

    `budget`: the seconds that an answer may take though no neighbour is ill. `floor`: milliseconds
    that it may be slower than when all was quiet, whatever that was. `waits`: where it needs an ill
    neighbour it has that one's budget instead; probes never wait.
    """

    name: str
    rate: float  # a second
    make_request: Callable[[], bytes]
    budget: float = 1.0
    floor: float = 50.0
    waits: bool = True


def get(path: str, token: str | None = None) -> bytes:
    """The bytes of a GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


def publish(token: str, body: bytes) -> bytes:
    """The bytes of a publication, with a key that was never used."""
    lines = (
        f"POST {BASE}/ebox/messages HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Authorization: Bearer {token}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(body)}",
        f'Idempotency-Key: "{uuid4()}"',
    )
    return "\r\n".join([*lines, "", ""]).encode() + body
