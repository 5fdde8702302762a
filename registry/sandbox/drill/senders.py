"""Senders who publish all the time, and try again as long as nobody answers."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import requests

from registry.sandbox.drill.ledger import Acknowledgement, Ledger
from registry.sandbox.personas import AGENCY, BAKERY
from registry.sandbox.seeds.papers import letter

_TIMEOUT: Final = 10  # seconds
_PAUSE: Final = 0.3  # seconds between two publications of a sender, and between two tries
_PUBLISHED: Final = (201, 409)  # 409: an earlier try with the same key was, unanswered


def _make_key() -> str:
    return str(uuid4())


def _make_document() -> bytes:
    return letter("Informatiebrief", _make_key())


@dataclass(frozen=True)
class Letter:
    """One publication with one document, to be sent until it is acknowledged."""

    key: str = field(default_factory=_make_key)
    document: bytes = field(default_factory=_make_document, repr=False)

    def send(self, session: requests.Session, base: str, token: str) -> requests.Response:
        """Send it once; raises `requests.RequestException`."""
        message = {
            "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
            "recipient": {"eboxType": "enterprise", "enterpriseNumber": BAKERY.digits},
            "subject": {"nl": "Een brief", "fr": "Une lettre"},
            "messageTypeId": "information-letter",
            "senderApplicationId": "sandbox-sender",
            "attachments": [{"httpPartName": "letter", "isMainContent": True}],
        }
        return session.post(
            f"{base}/ebox/messages",
            files={
                "messageToPublish": (None, json.dumps(message).encode(), "application/json"),
                "letter": ("letter.pdf", self.document, "application/pdf"),
            },
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": f'"{self.key}"'},
            timeout=_TIMEOUT,
        )


class Senders:
    """So many senders, each in a thread of its own, for the duration of a `with` block.

    `answers` counts how each try ended: by status, or "none" without an answer.
    """

    def __init__(
        self, count: int, base: str, make_token: Callable[[], str], ledger: Ledger
    ) -> None:
        self.answers: Counter[str] = Counter()
        self._base, self._make_token, self._ledger = base, make_token, ledger
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._publish) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Have each end with its present try, and wait for it."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _publish(self) -> None:
        token = self._make_token()
        with requests.Session() as session:
            session.trust_env = False  # it is on loopback, whatever proxy is set
            item = Letter()
            while not self._is_over.wait(_PAUSE):
                if self._try(item, session, token):
                    item = Letter()

    def _try(self, item: Letter, session: requests.Session, token: str) -> bool:
        """Send once, and enter the acknowledgement; tells whether the next letter may go."""
        try:
            answer = item.send(session, self._base, token)
            members = answer.json()
        except (requests.RequestException, ValueError):
            self.answers["none"] += 1
            return False
        self.answers[str(answer.status_code)] += 1
        if answer.status_code not in _PUBLISHED:
            return False
        digest = hashlib.sha256(item.document).hexdigest()
        self._ledger.add(Acknowledgement(members["messageId"], digest, datetime.now(UTC)))
        return True
