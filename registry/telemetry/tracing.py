"""Traces by OpenTelemetry, told to a collector that nobody waits for (the extra `traces`).

Spans wait in a queue of bounded length for a thread that sends them; what finds no room, and what a
collector does not take in time, is lost and not tried for long (ADR 019).
"""

import logging
from collections.abc import Sequence
from contextvars import Token
from secrets import randbits
from typing import Any, Final, NamedTuple

from flask import Flask, Response, g, request
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from registry import __version__
from registry.telemetry import watch
from registry.telemetry.harmless import harmless
from registry.telemetry.metrics import LOST_SPANS

_TIMEOUT: Final = 2.0  # seconds that a collector has for a batch
_QUEUE: Final = 2048  # spans that may wait
_BATCH: Final = 256
_DELAY: Final = 1000  # milliseconds in which a batch gathers


class _Underway(NamedTuple):
    """A span that is not over, and what makes the one before it current again."""

    span: Span
    token: "Token[Context]"


class CallTracer:
    """Makes a span of each call to a neighbour; an observer."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def begin(self, it: watch.Watch) -> _Underway:
        """Begin a span, below the one that is current or in the trace that the call names."""
        parent = _make_parent(it.trace_id) if it.trace_id else None
        name = f"{it.neighbour} {it.operation}"
        span = self._tracer.start_span(name, parent, SpanKind.CLIENT)
        return _Underway(span, context.attach(trace.set_span_in_context(span)))

    def end(self, it: watch.Watch, note: object, seconds: float) -> None:  # noqa: ARG002 - the observer's signature
        """End it, with the outcome."""
        if isinstance(note, _Underway):
            context.detach(note.token)
            note.span.set_attribute("registry.outcome", it.outcome)
            note.span.end()


class RequestTracer:
    """Makes a span of each request of an application, in the trace that its log has."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def observe(self, app: Flask) -> None:
        """Hook into every request, within those hooks that name its trace."""
        app.before_request(self._begin)
        app.after_request(self._end)
        app.teardown_request(self._abandon)

    @harmless
    def _begin(self) -> None:
        span = self._tracer.start_span(request.method, _make_parent(g.trace), SpanKind.SERVER)
        g.span_underway = _Underway(span, context.attach(trace.set_span_in_context(span)))

    def _end(self, response: Response) -> Response:
        self._conclude(response.status_code)
        return response

    def _abandon(self, _error: BaseException | None) -> None:
        self._conclude(None)

    @harmless
    def _conclude(self, status: int | None) -> None:
        """End the span; routes and numbers alone, since paths and queries name people."""
        underway: _Underway | None = g.pop("span_underway", None)
        if underway is None:
            return
        context.detach(underway.token)
        route = request.url_rule.rule if request.url_rule else "unknown"
        underway.span.update_name(route)
        underway.span.set_attribute("http.route", route)
        if status is not None:
            underway.span.set_attribute("http.response.status_code", status)
        underway.span.end()


class _CountingExporter(SpanExporter):
    """Counts the spans that the collector did not take."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        outcome = self._inner.export(spans)
        if outcome is not SpanExportResult.SUCCESS:
            LOST_SPANS.inc(len(spans))
        return outcome

    def shutdown(self) -> None:
        """Send no more."""
        self._inner.shutdown()


def make_tracer(url: str, share: float) -> trace.Tracer:
    """Make what tells a collector, at the URL of its OTLP over HTTP, of a share of all traces."""
    # Each batch that is lost is counted; a line for each would drown the log.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    service: dict[str, Any] = {"service.name": "ebox-message-registry"}
    provider = TracerProvider(
        sampler=TraceIdRatioBased(share),
        resource=Resource.create({**service, "service.version": __version__}),
        shutdown_on_exit=False,  # the end of a process waits for no collector
    )
    exporter = _CountingExporter(OTLPSpanExporter(url, timeout=_TIMEOUT))
    processor = BatchSpanProcessor(exporter, _QUEUE, _DELAY, _BATCH, _TIMEOUT * 1000)
    provider.add_span_processor(processor)
    return provider.get_tracer("registry", __version__)


def observe_calls(tracer: trace.Tracer) -> None:
    """Make spans of calls from now on, in this process."""
    watch.attach(CallTracer(tracer))


def _make_parent(trace_id: str) -> Context:
    """Make what a span hangs from that is to be in this trace; nothing else of the caller's."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    parent = SpanContext(int(trace_id, 16), randbits(64) | 1, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(parent))
