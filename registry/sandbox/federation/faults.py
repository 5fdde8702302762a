"""Bad days: each service of the stand-in can be made slow, broken or lying, and is counted.

`PUT /sandbox/faults` names a fault for each of `token`, `introspect`, `revoke`, `partitions` (and
rights), `rules`, `mandates`, `preferences`, `consents`, `events`, and `seconds` for the slow ones;
a service not named is well again. A `lost` request is carried out, and never answered.
`GET /sandbox/calls` counts.
"""

import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from registry.sandbox.federation.addresses import (
    CALLS,
    EVENTS,
    FAULTS,
    FEDERATION,
    OAUTH,
    PARTITION,
)

# How the paths of each begin; the first that fits decides.
SERVICES: Final = {
    name: re.compile(path)
    for name, path in (
        ("token", f"{OAUTH}/token"),
        ("introspect", f"{OAUTH}/introspect"),
        ("revoke", f"{OAUTH}/revoke"),
        ("rules", f"{PARTITION}/ebox/[^/]+/routingRules"),
        ("mandates", f"{PARTITION}/ebox/[^/]+/hasMandate"),
        ("partitions", f"{PARTITION}/"),
        ("consents", f"{FEDERATION}/citizenEboxConsents/"),
        ("preferences", f"{FEDERATION}/"),
        ("events", EVENTS),
    )
}
_LONG: Final = 30.0  # seconds: longer than anybody should wait
_DRIP: Final = 0.25  # seconds between two bytes of a dribbled answer
_JSON: Final = "application/json"

# Answers that need no thought. The lie is well-formed and wrong: the members' types are.
_FIXED_ANSWERS: Final = {
    "error": (500, _JSON, '{"error":"server_error"}'),
    "html": (200, "text/html", "<!doctype html><title>Maintenance</title><p>Back soon.</p>"),
    "garbage": (200, _JSON, '{"active": tru\x00\ufffd'),
    "lie": (
        200,
        _JSON,
        '{"active":"false","exp":"tomorrow","scope":[7],"items":{},"hasMandate":"true"}',
    ),
    "conflict": (409, _JSON, '{"title":"Conflict","status":409,"detail":"Known already"}'),
    "busy": (429, _JSON, '{"title":"Too Many Requests","status":429}'),
}
_HEADERS: Final = {"busy": {"Retry-After": "1"}}
KINDS: Final = frozenset({"ok", "slow", "dribble", "reset", "lost", *_FIXED_ANSWERS})


class Faults:
    """A WSGI application around another, outside of what frameworks would tidy up."""

    def __init__(self, healthy: WSGIApplication) -> None:
        self._healthy = healthy
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._kinds: dict[str, str] = {}
        self._seconds = _LONG
        self._change = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if request.path in _CONTROLS:
            return _CONTROLS[request.path](self, request)(environ, start_response)
        for service, paths in SERVICES.items():
            if paths.match(request.path):
                return self._answer(service, request)(environ, start_response)
        return self._healthy(environ, start_response)

    def _answer(self, service: str, request: Request) -> WSGIApplication:
        body = request.get_data()  # what is left unread would be taken for the next request
        environ = {**request.environ, "wsgi.input": BytesIO(body)}
        with self._lock:
            self._calls[service] += 1
            kind, seconds, change = self._kinds.get(service, "ok"), self._seconds, self._change
        if kind in _FIXED_ANSWERS:
            status, media_type, text = _FIXED_ANSWERS[kind]
            return Response(text, status, _HEADERS.get(kind), content_type=media_type)
        if kind == "reset":
            _reset(environ)
        if kind == "slow":
            change.wait(seconds)
        answer = Response.from_app(self._healthy, environ, buffered=True)
        if kind == "lost":
            _reset(environ)
        if kind == "dribble":
            answer.response = _dribble(answer.get_data(), seconds, change)
        return answer

    def control(self, request: Request) -> Response:
        """Take new faults, or show the present ones."""
        if request.method == "PUT":
            faults = json.loads(request.get_data() or b"{}")
            seconds = faults.pop("seconds", _LONG)
            if not (set(faults) <= set(SERVICES) and set(faults.values()) <= KINDS):
                choices = {"services": sorted(SERVICES), "faults": sorted(KINDS)}
                return Response(json.dumps(choices), 400, content_type=_JSON)
            with self._lock:
                self._kinds, self._seconds = faults, float(seconds)
                self._change.set()  # whoever is made to wait need wait no longer
                self._change = threading.Event()
        return Response(json.dumps(self._kinds), content_type=_JSON)

    def calls(self, request: Request) -> Response:
        """Count the calls of each service; DELETE starts again from nothing."""
        with self._lock:
            if request.method == "DELETE":
                self._calls.clear()
            counts = {name: self._calls[name] for name in SERVICES}
        return Response(json.dumps(counts), content_type=_JSON)


_CONTROLS: Final[dict[str, Callable[[Faults, Request], Response]]] = {
    FAULTS: Faults.control,
    CALLS: Faults.calls,
}


def _dribble(body: bytes, seconds: float, change: threading.Event) -> Iterator[bytes]:
    """Give a byte at a time for this long, so that no time-out between two reads ever strikes."""
    deadline = time.monotonic() + seconds
    for position in range(len(body)):
        if time.monotonic() > deadline or change.wait(_DRIP):
            yield body[position:]
            return
        yield body[position : position + 1]


def _reset(environ: WSGIEnvironment) -> None:
    """Drop the connection without a word; the server's own closing then sends a RST."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)  # or the server would wait for the next request
    raise ConnectionResetError
