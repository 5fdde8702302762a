"""The worker, watched by its work: how long an event takes from the outbox to the federation."""

import threading
import time
from typing import Final, Self

from tests.chaos.client import Answer
from tests.chaos.stack import ChaosService

_PAUSE: Final = 0.5  # seconds between two events


class EventWatch(threading.Thread):
    """Puts events into the outbox, past the proxies, and notes when the stand-in has each."""

    def __init__(self, service: ChaosService) -> None:
        super().__init__(daemon=True)
        self._service = service
        self._over = threading.Event()
        self._waiting: dict[str, float] = {}
        self._last = 0  # number of the last event that the stand-in has shown
        self._answers: list[Answer] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    @property
    def answers(self) -> list[Answer]:
        """All events: those that arrived are `ok`, the rest are `waiting`, since they were put."""
        now = time.monotonic()
        waiting = list(self._waiting.values())
        return [
            *list(self._answers),
            *(Answer("event", "waiting", began, now - began) for began in waiting),
        ]

    def forget(self) -> None:
        """Leave out what has arrived so far."""
        self._answers = []

    def run(self) -> None:
        """Go on until the block ends."""
        while not self._over.wait(_PAUSE):
            began = time.monotonic()
            self._waiting = {**self._waiting, self._service.announce(): began}
            self._collect()

    def _collect(self) -> None:
        for event in self._service.control("GET", f"/sandbox/events?after={self._last}"):
            self._last = event["eventSequenceNbr"]
            correlation_id = event["eventData"]["eventCorrelationId"]
            if began := self._waiting.get(correlation_id):
                answer = Answer("event", "ok", began, time.monotonic() - began)
                self._answers.append(answer)
                self._waiting = {
                    one: when for one, when in self._waiting.items() if one != correlation_id
                }
