"""What may befall the connection to a neighbour, and what a proxy then answers in its place."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fault:
    """One way in which a neighbour fails; `number` is bytes for a cut, bytes a second for a drip.

    - `pass`: none; what was spoilt by a fault before is reset.
    - `refuse`: nobody listens any more, and connections are reset.
    - `black hole`: connections are accepted and kept, and nothing is ever forwarded.
    - `half-open`: as a host that lost its power: no packet is answered, not even by its kernel.
    - `drip`: answers come byte by byte.
    - `cut`: each connection ends after so many bytes of answers.
    - `500`, `503`, `429`, `html`, `redirect`: an HTTP server's bad days.
    """

    kind: str
    number: int = 0


PASS: Final = Fault("pass")
DRIP: Final = Fault("drip", 4)
SILENCES: Final = (Fault("black hole"), Fault("half-open"))
ANSWERS: Final = {
    "500": "500 Internal Server Error\r\nContent-Type: application/json",
    "503": "503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: application/json",
    "429": "429 Too Many Requests\r\nRetry-After: 2\r\nContent-Type: application/json",
    "html": "200 OK\r\nContent-Type: text/html",
    "redirect": "302 Found\r\nLocation: /elsewhere\r\nContent-Type: text/html",
}
_HTML: Final = b"<!doctype html><title>Maintenance</title><p>Back soon."
_JSON: Final = b'{"title": "Not today"}'


def compose_answer(kind: str) -> bytes:
    """The whole HTTP answer of such a day."""
    head = ANSWERS[kind]
    body = _HTML if head.endswith("html") else _JSON
    return (
        f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
