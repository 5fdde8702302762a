"""Notes of every request: trace ids in the answer, one log line, one measurement."""

import re
import time
from typing import Final
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from registry.domain.traces import read_trace_id
from registry.telemetry.harmless import harmless
from registry.telemetry.metrics import OPERATIONS, REQUESTS, UNKNOWN_PARAMETERS

_TRACE: Final = "BelGov-Trace-Id"
_RELATED_TRACE: Final = "BelGov-Related-Trace-Id"
_TRACEPARENT: Final = "traceparent"
_TRACE_ID: Final = re.compile(r"[\x21-\x7e]{1,36}", re.ASCII)  # others are not echoed
# Anybody may make up methods; each would be another row of the measurements, for ever.
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_.-]{0,39}", re.ASCII)
_MOST_NAMES: Final = 10
_log = structlog.get_logger("registry.requests")


def observe(app: Flask) -> None:
    """Hook into every request of the application."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    """Name the request; the id is ours, never the client's `[trc-header]`.

    The trace is that of whoever called us, if he says so well formed; nothing else of his is taken.
    """
    g.occurrence = uuid4()
    g.trace = read_trace_id(request.headers.get(_TRACEPARENT, "")) or g.occurrence.hex
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers[_TRACE] = str(g.occurrence)
    client_trace_id = request.headers.get(_TRACE, "")
    if not _TRACE_ID.fullmatch(client_trace_id):
        client_trace_id = ""
    if client_trace_id:
        response.headers[_RELATED_TRACE] = client_trace_id
    _note(response.status_code, client_trace_id)
    return response


@harmless
def _note(status: int, client_trace_id: str) -> None:
    """Measure the request and log it; by now the answer stands, and what it says is committed."""
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else "unknown"
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(route, method, status).observe(seconds)
    _measure_operation(status, seconds)
    caller = g.get("caller")
    more: dict[str, object] = {**_note_unknown_parameters(route)}
    if message_id := g.get("published_message"):
        more["message_id"] = str(message_id)
    _log.info(
        "request",
        trace_id=str(g.occurrence),
        trace=g.trace,
        related_trace_id=client_trace_id,
        method=method,
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        client_id=caller.client_id if caller else None,
        **more,
    )


def _measure_operation(status: int, seconds: float) -> None:
    """Measure by operation: the name of a view, without the blueprint, which has the version."""
    version, _, _ = (request.blueprint or "").partition("-")
    _, _, name = (request.endpoint or "").rpartition(".")
    outcome = "failed" if status >= 500 else "refused" if status >= 400 else "ok"
    OPERATIONS.labels(name or "unknown", version, outcome).observe(seconds)


def _note_unknown_parameters(route: str) -> dict[str, list[str]]:
    """Count the query parameters nobody reads, and give their names for the log (contract 6.32).

    Never values; and of names only those that look like one, since anybody may make them up.
    """
    names: list[str] = g.get("unknown_parameters", [])
    if not names:
        return {}
    UNKNOWN_PARAMETERS.labels(route).inc(len(names))
    plain_names = [name if _NAME.fullmatch(name) else "…" for name in names[:_MOST_NAMES]]
    return {"unknown_parameters": plain_names}
