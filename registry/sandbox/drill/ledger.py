"""The ledger of what was acknowledged to senders, kept outside of the registry."""

import json
import threading
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A 201 that a sender got: the message, SHA-256 of its document in hexadecimal, and when."""

    message_id: str
    digest: str
    at: datetime


class Ledger:
    """Every acknowledgement, a line of JSON each in `path` before anybody goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._lines: list[Acknowledgement] = []

    def add(self, acknowledgement: Acknowledgement) -> None:
        """Enter an acknowledgement."""
        members = {**asdict(acknowledgement), "at": acknowledgement.at.isoformat()}
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(members) + "\n")
            self._lines.append(acknowledgement)

    def list_since(self, begin: datetime | None) -> Sequence[Acknowledgement]:
        """List what was acknowledged from this moment on, or all, in order of time."""
        with self._lock:
            lines = sorted(self._lines, key=lambda line: line.at)
        return [line for line in lines if begin is None or line.at >= begin]


def leave_out(
    lines: Sequence[Acknowledgement], message_ids: Collection[str]
) -> Sequence[Acknowledgement]:
    """Leave the messages out that are there, so that those remain that are not."""
    return [line for line in lines if line.message_id not in message_ids]
