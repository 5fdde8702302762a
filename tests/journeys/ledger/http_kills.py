"""Kills of gunicorn in the midst of a publication, a reply or a broadcast."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

from tests.journeys.ledger.book import BY_HTTP, Book, Kind
from tests.journeys.ledger.callers import (
    PATIENCE,
    LetterRequest,
    MailingRequest,
    Tokens,
    write_mailing,
    write_publication,
    write_reply,
)
from tests.journeys.ledger.doors import Door, Target
from tests.journeys.ledger.moments import Moments, Stopwatch

# A worker dies more often than what looks after it.
_TARGETS: Final = [Target.WORKER] * 9 + [Target.ARBITER, Target.ALL]
_PATIENT: Final = 0.6  # the part of callers who ask again
_LARGE: Final = 5_000_000  # bytes of a request that takes longer than others

Request = LetterRequest | MailingRequest


@dataclass
class HttpKills:
    """Callers at several doors, and somebody who kills what is behind the one they stand at.

    Behind the quiet one nobody is killed.
    """

    book: Book
    tokens: Tokens
    doors: Sequence[Door]
    quiet_door: Door
    rng: random.Random
    _stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self):
        self._turns = cycle(self.doors)
        self._targets = cycle(self.rng.sample(_TARGETS, len(_TARGETS)))
        self._pool = ThreadPoolExecutor(4)

    def calibrate(self) -> None:
        """Let each kind of work be done once with nobody killed, at a door that is fresh."""
        for kind in BY_HTTP:
            door = next(self._turns)
            door.wait_ready()
            request = self._write(kind)
            began = time.monotonic()
            self._ask_again(request, [door])
            self._note_time(request, door, time.monotonic() - began)

    def kill(self, kind: Kind, fraction: float) -> None:
        """Have one door killed during this work, when this part of it is done."""
        while not self._try_to_kill(kind, fraction):
            fraction = Moments.draw_earlier(fraction)

    def publish(self, count: int) -> None:
        """Publish something small at a door where nobody is killed."""
        for _ in range(count):
            request = write_publication(self.rng, is_small=True)
            self.book.add(request.letter)
            self._ask_again(request, [self.quiet_door])

    def _try_to_kill(self, kind: Kind, fraction: float) -> bool:
        door, request = next(self._turns), self._write(kind)
        door.wait_ready()
        sendings = self._begin(kind, request, door)
        delay = fraction * self._stopwatch.estimate(self._name_work(request, door))
        began = time.monotonic()
        while not sendings[0].done() and time.monotonic() < began + delay:
            time.sleep(0.001)
        if is_late := sendings[0].done():
            self._note_time(request, door, time.monotonic() - began)
        else:
            door.kill(next(self._targets))
            self.book.kills[kind] += 1
        answers = [sending.result() for sending in sendings]
        if not answers[0] and self.rng.random() < _PATIENT:
            self._ask_again(request, self.doors)
        self._release(request)
        return not is_late

    def _begin(self, kind: Kind, request: Request, door: Door) -> list[Future[bool]]:
        """Send it; a publication is not the only one of its moment."""
        requests: list[Request] = [request]
        if kind is Kind.PUBLICATION:
            requests.append(write_publication(self.rng, is_small=True))
            self.book.add(requests[-1].letter)
        return [self._pool.submit(each.send, door.port, self.tokens) for each in requests]

    def _write(self, kind: Kind) -> Request:
        request: Request
        if kind is Kind.PUBLICATION:
            request = write_publication(self.rng)
            self.book.add(request.letter)
            return request
        while (letter := self.book.reserve_letter(Kind.PUBLICATION)) is None:
            self.publish(1)
        if kind is Kind.BROADCAST:
            request = write_mailing(letter)
            self.book.add(request.mailing)
            return request
        request = write_reply(self.rng, str(letter.message_id))
        request.original = letter
        self.book.add(request.letter)
        return request

    def _release(self, request: Request) -> None:
        """Let a letter that was replied to be needed by others."""
        if isinstance(request, LetterRequest) and request.original:
            request.original.is_reserved = False

    def _ask_again(self, request: Request, doors: Sequence[Door]) -> None:
        """Ask at one door after the other until there is an answer."""
        deadline = time.monotonic() + PATIENCE
        for door in cycle(doors):
            if request.send(door.wait_ready(), self.tokens):
                return
            if time.monotonic() > deadline:
                raise AssertionError("Nobody answers, however often one asks.")
            time.sleep(0.05)

    def _note_time(self, request: Request, door: Door, seconds: float) -> None:
        self._stopwatch.add(self._name_work(request, door), seconds)
        self._stopwatch.add(None, seconds)
        door.is_fresh = False

    @staticmethod
    def _name_work(request: Request, door: Door) -> tuple[type, bool, bool]:
        return type(request), request.size > _LARGE, door.is_fresh
