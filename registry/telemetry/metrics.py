"""Counters and durations for Prometheus; labels name routes and outcomes, never people."""

from typing import Final, Literal

from prometheus_client import Counter, Histogram

from registry.telemetry.harmless import harmless

_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS: Final = Histogram(
    "registry_request_seconds",
    "Time to answer a request, without the sending of documents",
    ["route", "method", "status"],
    buckets=_FAST,
)
INTROSPECTIONS: Final = Histogram(
    "registry_introspection_seconds",
    "Time to learn who is behind a token, by outcome",
    ["outcome"],
    buckets=_FAST,
)
DOCUMENTS_UNAVAILABLE: Final = Counter(
    "registry_documents_unavailable_total",
    "Documents that a message promised and storage did not have",
)
DOCUMENTS_ALTERED: Final = Counter(
    "registry_documents_altered_total",
    "Documents that storage gave back with another digest",
)
DOCUMENTS_NOT_STORED: Final = Counter(
    "registry_documents_not_stored_total",
    "Documents that storage did not get as they were sent; their publication was refused",
)
DOCUMENTS_UNSCANNED: Final = Counter(
    "registry_documents_unscanned_total",
    "Documents that were filed though malware was not looked for in the whole of them",
)
SLOW_CLIENTS: Final = Counter(
    "registry_slow_clients_total",
    "Clients that were cut off: by a request, a body or an answer too slow, or a full queue",
    ["what"],
)
OPERATIONS: Final = Histogram(
    "registry_operation_seconds",
    "Time to answer, by operation and by whose doing the answer is: ok, the client's, ours",
    ["operation", "version", "outcome"],
    buckets=_FAST,
)
CUT_TRANSFERS: Final = Counter(
    "registry_transfers_cut_total",
    "Transfers that ended before their end, by what was cut and who cut it",
    ["what", "by"],
)
LOST_SPANS: Final = Counter(
    "registry_spans_lost_total",
    "Spans of traces that the collector did not take in time",
)
UNKNOWN_PARAMETERS: Final = Counter(
    "registry_unknown_parameters_total",
    "Query parameters that the registry does not know; the log has their names",
    ["route"],
)


@harmless
def count_slow_client(what: Literal["request", "body", "reader", "queue"]) -> None:
    """Count a client that was cut off, by what it was too slow or too late with."""
    SLOW_CLIENTS.labels(what).inc()


@harmless
def count_cut(
    what: Literal["download", "upload", "request"],
    by: Literal["client", "storage", "stop"],
    count: int = 1,
) -> None:
    """Count transfers that were cut; those that nginx fetches, its log alone has."""
    CUT_TRANSFERS.labels(what, by).inc(count)


@harmless
def count_introspection(outcome: str, seconds: float) -> None:
    """Count one look at a token, by how it ended, and the seconds that it took."""
    INTROSPECTIONS.labels(outcome).observe(seconds)
