"""Those who use a sandbox, so that there is something to see: they read, publish, and knock."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, Self
from uuid import uuid4

import requests

from registry.sandbox import tokens
from registry.sandbox.drill.senders import Letter
from registry.sandbox.layout import Document, Layout
from registry.sandbox.personas import PERSONAS

_TIMEOUT: Final = 10  # seconds
_ROUNDS_OF_A_TOKEN: Final = 10


@dataclass(frozen=True)
class Visit:
    """One round of somebody with a token; `answers` counts them by status."""

    session: requests.Session
    base: str
    token: str
    answers: Counter

    def get(self, path: str, **query: str) -> dict:
        """GET below the base path; gives the members of a JSON answer, or none."""
        answer = self.session.get(
            self.base + path,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=_TIMEOUT,
        )
        self.answers[answer.status_code] += 1
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.json() if is_json else {}


def read(visit: Visit) -> None:
    """List, and open the newest message and its document."""
    for item in visit.get("/ebox/messages", pageSize="20").get("items", [])[:1]:
        message = f"/ebox/messages/{item['messageId']}"
        visit.get(message)
        visit.get(f"{message}/attachments")
        visit.get(f"{message}/attachments/1/content")


def search(visit: Visit) -> None:
    """Search for words, and count what is unread."""
    visit.get("/ebox/messages", q="epinards", qlang="fr")
    visit.get("/ebox/statistics")


def publish(visit: Visit) -> None:
    """Send a letter with one document to the bakery."""
    answer = Letter().send(visit.session, visit.base, visit.token)
    visit.answers[answer.status_code] += 1


def knock(visit: Visit) -> None:
    """Come with a token that nobody has given out."""
    Visit(visit.session, visit.base, f"of-nobody-{uuid4()}", visit.answers).get("/ebox/messages")


@dataclass(frozen=True)
class Habit:
    """What a persona does at a base path, again and again, with so many seconds between."""

    persona: str
    family: str
    version: str
    do: Callable[[Visit], None]
    pause: float


HABITS: Final = (
    Habit("enterprise-consumer", "enterprise", "v3", read, 0.8),
    Habit("portal-user", "enterprise", "v3", search, 0.6),
    Habit("portal-user", "enterprise", "v2", read, 1.5),
    Habit("citizen", "citizen", "v3", read, 1.2),
    Habit("sender", "enterprise", "v3", publish, 0.8),
    Habit("no-scope", "enterprise", "v3", knock, 2.0),
)


class Visitors:
    """Each habit in a thread of its own, for the duration of a `with` block."""

    def __init__(self, layout: Layout, document: Document) -> None:
        self.answers: Counter = Counter()
        self._layout, self._document = layout, document
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._follow, args=(each,)) for each in HABITS]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _follow(self, habit: Habit) -> None:
        base, token = self._document["baseUrls"][habit.family][habit.version], ""
        with requests.Session() as session:
            session.trust_env = False  # it is on loopback, whatever proxy is set
            for number in count():
                if self._is_over.wait(habit.pause):
                    return
                try:
                    if number % _ROUNDS_OF_A_TOKEN == 0:
                        token = self._fetch_token(habit.persona)
                    habit.do(Visit(session, base, token, self.answers))
                except (requests.RequestException, tokens.TokenRefused) as error:
                    self.answers[type(error).__name__] += 1

    def _fetch_token(self, name: str) -> str:
        return tokens.fetch(self._document["tokenUrl"], PERSONAS[name], self._layout.keys)
