"""Events that the stand-in of the Event Service took: in memory, and in a file that stays."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

CORRELATION: Final = "eventCorrelationId"  # what a service recognises an event by

JsonEvent = dict[str, Any]


class EventStore:
    """All events ever taken, in memory and in a file that has one on each line.

    Each is kept as the JSON that is shown: `eventSequenceNbr`, `eventTime`, `eventProviderId`, the
    client that sent it, `traceparent`, the header it came with, and `eventData`, the event as it
    came.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._items: list[bytes] = []
        self._correlation_ids: set[str] = set()
        self._last = 0  # sequence number
        self.poison: frozenset[str] = frozenset()  # ids of messages whose events are refused
        self._recall()

    def __len__(self) -> int:
        return len(self._items)

    def take(
        self, events: list[JsonEvent], provider: str, traceparent: str | None = None
    ) -> int | None:
        """Keep all of a batch and give the last number; None when one was told before, or twice."""
        ids = [event[CORRELATION].lower() for event in events if CORRELATION in event]
        fresh = set(ids)
        with self._lock:
            if len(fresh) < len(ids) or not self._correlation_ids.isdisjoint(fresh):
                return None
            now = datetime.now(UTC).isoformat()
            lines = b"".join(
                orjson.dumps(
                    {
                        "eventSequenceNbr": number,
                        "eventTime": now,
                        "eventProviderId": provider,
                        "traceparent": traceparent,
                        "eventData": event,
                    },
                    option=orjson.OPT_APPEND_NEWLINE,
                )
                for number, event in enumerate(events, self._last + 1)
            )
            with self._path.open("ab") as file:
                file.write(lines)
            self._items += lines.splitlines()  # copies: what orjson returns holds 4 kB each
            self._correlation_ids |= fresh
            self._last += len(events)
            return self._last

    def after(self, number: int) -> bytes:
        """The JSON list of those with a higher sequence number, oldest first."""
        with self._lock:
            first = self._last - len(self._items)
            return b"[%b]" % b",".join(self._items[max(0, number - first) :])

    def forget(self) -> None:
        """Start again from nothing, but for the sequence numbers."""
        with self._lock:
            self._path.write_bytes(b"")
            self._items, self._correlation_ids = [], set()

    def _recall(self) -> None:
        """Read the file; half a line, of a process that was killed, is cut off."""
        if not self._path.exists():
            return
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            self._path.write_bytes(whole)
        self._items = whole.splitlines()
        for item in map(orjson.loads, self._items):
            self._last = item["eventSequenceNbr"]
            if CORRELATION in item["eventData"]:
                self._correlation_ids.add(item["eventData"][CORRELATION].lower())
