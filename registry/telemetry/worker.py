"""Figures of the worker; labels name jobs and outcomes, never people.

The label of a job is `duty`, which operators' dashboards and alerts know.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import REGISTRY, Counter, Gauge, start_http_server

from registry.telemetry import neighbour_figures
from registry.telemetry.harmless import harmless
from registry.telemetry.process_figures import BuildInfo

_log: Final = structlog.get_logger("registry.worker")

_HEARTBEAT: Final = Gauge(
    "registry_worker_heartbeat_seconds",
    "Unix time when this job last went well, or of the start before that",
    ["duty"],
)
_FAILURES: Final = Counter(
    "registry_worker_failures_total", "Runs of a job that an error ended", ["duty"]
)
_WAITING: Final = Gauge("registry_outbox_waiting", "Events that are due and not yet told")
_OLDEST: Final = Gauge("registry_outbox_oldest_seconds", "Age of the oldest event that is due")
_DEAD: Final = Gauge("registry_outbox_dead", "Events that were refused and need an operator")
_EVENTS: Final = Counter("registry_events_total", "Events by what became of them", ["outcome"])
_TROUBLE: Final = Counter(
    "registry_event_service_trouble_total", "Batches that the event service was too ill to take"
)
_PURGED_MESSAGES: Final = Counter(
    "registry_messages_purged_total", "Expired messages that were deleted"
)
_FORGOTTEN_EVENTS: Final = Counter(
    "registry_events_forgotten_total", "Events that were told long ago and are deleted"
)
_ERASED_DOCUMENTS: Final = Counter(
    "registry_documents_erased_total", "Their documents, gone from storage"
)
_VERIFIED_DOCUMENTS: Final = Counter(
    "registry_documents_verified_total", "Documents that were read and held against their digest"
)
_VERIFIED_SINCE: Final = Gauge(
    "registry_documents_verified_since_seconds",
    "Unix time since when every document was read once; 0 before that is so",
)
_REMINDERS: Final = Counter(
    "registry_reminders_total", "Reminders and alerts that the clock asked for", ["type"]
)
_RESUMED_LINKS: Final = Counter(
    "registry_broadcast_links_resumed_total",
    "Recipients whose turn in a broadcast came only when the worker went on with it",
)
_CLOCK: Final = Gauge(
    "registry_worker_clock_ahead_seconds",
    "Seconds that this machine's clock is ahead of the database's; nothing is claimed beyond 5",
)
_EXPIRED: Final = Gauge(
    "registry_expired_messages", "Expired messages that nothing keeps; 10,000 are so many or more"
)
_OLDEST_EXPIRED: Final = Gauge(
    "registry_expired_oldest_seconds", "Age of the oldest expiry among them"
)
_CERTIFICATE: Final = Gauge(
    "registry_certificate_expiry_timestamp_seconds",
    "Unix time when a certificate of ours ends, by the setting that names its file; 0: unreadable",
    ["certificate"],
)
_UNSEALED_AGE: Final = Gauge(
    "registry_audit_unsealed_seconds", "Age of the oldest audit entry under no stored seal"
)
_SEALS: Final = Counter(
    "registry_audit_seals_total", "Seals over audit entries; not those that say there were none"
)
_SEALED_ENTRIES: Final = Counter("registry_audit_entries_sealed_total", "Audit entries under these")
_COUNTERS: Final[Mapping[str, Callable[[float], None]]] = {
    **{outcome: _EVENTS.labels(outcome).inc for outcome in ("told", "dead", "withdrawn")},
    "purged": _PURGED_MESSAGES.inc,
    "forgotten": _FORGOTTEN_EVENTS.inc,
    "erased": _ERASED_DOCUMENTS.inc,
    "verified": _VERIFIED_DOCUMENTS.inc,
    "reminded": _REMINDERS.labels("newDocumentReminder").inc,
    "linked": _RESUMED_LINKS.inc,
    "alerted": _REMINDERS.labels("documentExpirationAlert").inc,
    "seals": _SEALS.inc,
    "sealed": _SEALED_ENTRIES.inc,
}


@harmless
def note_success(job: str) -> None:
    """Note that the job works: a run or a batch of it succeeded, or nothing was to be done."""
    _HEARTBEAT.labels(job).set_to_current_time()


@harmless
def register_job(job: str) -> None:
    """Show the job from the start, even if it never works."""
    note_success(job)
    _FAILURES.labels(job)


@harmless
def count_failure(job: str) -> None:
    """Count a run that an error ended."""
    _FAILURES.labels(job).inc()


@harmless
def count_outage() -> None:
    """Count a batch that the event service was too ill for."""
    _TROUBLE.inc()


@harmless
def count_results(counts: Mapping[str, int]) -> None:
    """Count the results of a batch; those without a counter are for the log alone."""
    for name, count in counts.items():
        if name in _COUNTERS:
            _COUNTERS[name](count)


@harmless
def log_told_events(
    *, message_id: UUID, kind: str, trace: str | None, call_trace: str | None, events: int
) -> None:
    """Log that the federation was told so many events of a kind about a message.

    `trace` leads to the call that was their cause; where the service was told other news in the
    same call, its own log has `call_trace`.
    """
    names = {"message_id": str(message_id), "type": str(kind), "trace": trace}
    if call_trace != trace:
        names["call_trace"] = call_trace
    _log.info("told", **names, events=events)


@harmless
def show_backlog(*, waiting: int, oldest: datetime | None, dead: int, unsealed_age: float) -> None:
    """Show how many events wait or are dead, since when, and how long audit entries wait.

    `oldest` is the instant of the oldest waiting event, `unsealed_age` in seconds.
    """
    age = time.time() - oldest.timestamp() if oldest else 0.0
    _WAITING.set(waiting)
    _OLDEST.set(max(0.0, age))
    _DEAD.set(dead)
    _UNSEALED_AGE.set(unsealed_age)


@harmless
def show_expired(count: int, oldest: datetime | None) -> None:
    """Show how many messages are still to be deleted, and since when the first."""
    _EXPIRED.set(count)
    _OLDEST_EXPIRED.set(max(0.0, time.time() - oldest.timestamp()) if oldest else 0.0)


@harmless
def show_certificates(ends: Mapping[str, datetime | None]) -> None:
    """Show when each certificate ends; None is one that cannot be read."""
    for name, end in ends.items():
        _CERTIFICATE.labels(name).set(end.timestamp() if end else 0.0)


@harmless
def show_clock(ahead: float) -> None:
    """Show by how many seconds this machine's clock is ahead of the database's."""
    _CLOCK.set(ahead)


@harmless
def show_document_check(last_start: datetime | None) -> None:
    """Show when the last whole round of reading documents began."""
    _VERIFIED_SINCE.set(last_start.timestamp() if last_start else 0.0)


def serve(port: int, host: str) -> None:
    """Serve the figures in a thread, as long as the process lives; raises `OSError`."""
    REGISTRY.register(BuildInfo())
    neighbour_figures.observe()
    start_http_server(port, host)
