"""What the worker counts; labels name duties and outcomes, never people."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from prometheus_client import Counter, Gauge, start_http_server

_HEARTBEAT: Final = Gauge(
    "registry_worker_heartbeat_seconds",
    "Unix time when this duty last went well, or of the start before that",
    ["duty"],
)
_FAILURES: Final = Counter(
    "registry_worker_failures_total", "Turns of a duty that an error ended", ["duty"]
)
_WAITING: Final = Gauge("registry_outbox_waiting", "Events that are due and not yet told")
_OLDEST: Final = Gauge("registry_outbox_oldest_seconds", "Age of the oldest event that is due")
_DEAD: Final = Gauge("registry_outbox_dead", "Events that were refused and need an operator")
_EVENTS: Final = Counter("registry_events_total", "Events by what became of them", ["outcome"])
_TROUBLE: Final = Counter(
    "registry_event_service_trouble_total", "Batches that the event service was too ill to take"
)
_PURGED: Final = Counter("registry_messages_purged_total", "Expired messages that were deleted")
_ERASED: Final = Counter("registry_documents_erased_total", "Their documents, gone from storage")
_REMINDERS: Final = Counter(
    "registry_reminders_total", "Reminders and alerts that the clock asked for", ["type"]
)
_UNSEALED: Final = Gauge(
    "registry_audit_unsealed_seconds", "Age of the oldest audit entry under no stored seal"
)
_SEALS: Final = Counter(
    "registry_audit_seals_total", "Seals over audit entries; not those that say there were none"
)
_SEALED: Final = Counter("registry_audit_entries_sealed_total", "Audit entries under these")
_COUNTED: Final[Mapping[str, Callable[[float], None]]] = {
    **{outcome: _EVENTS.labels(outcome).inc for outcome in ("told", "dead", "withdrawn")},
    "purged": _PURGED.inc,
    "erased": _ERASED.inc,
    "reminded": _REMINDERS.labels("newDocumentReminder").inc,
    "alerted": _REMINDERS.labels("documentExpirationAlert").inc,
    "seals": _SEALS.inc,
    "sealed": _SEALED.inc,
}


def well(duty: str) -> None:
    """Note that the duty works: a turn or a batch of it succeeded, or nothing was to be done."""
    _HEARTBEAT.labels(duty).set_to_current_time()


def begun(duty: str) -> None:
    """Show the duty from the start, even if it never works."""
    well(duty)
    _FAILURES.labels(duty)


def failed(duty: str) -> None:
    """Count a turn that an error ended."""
    _FAILURES.labels(duty).inc()


def troubled() -> None:
    """Count a batch that the event service was too ill for."""
    _TROUBLE.inc()


def done(counts: Mapping[str, int]) -> None:
    """Count what a batch did."""
    for name, count in counts.items():
        if name in _COUNTED:
            _COUNTED[name](count)


def measured(backlog: Any, unsealed: float) -> None:
    """Show the outbox: `waiting`, `oldest` and `dead`; and for how long audit entries wait."""
    age = time.time() - backlog.oldest.timestamp() if backlog.oldest else 0.0
    _WAITING.set(backlog.waiting)
    _OLDEST.set(max(0.0, age))
    _DEAD.set(backlog.dead)
    _UNSEALED.set(unsealed)


def serve(port: int, host: str) -> None:
    """Serve the figures in a thread, as long as the process lives; raises `OSError`."""
    start_http_server(port, host)
