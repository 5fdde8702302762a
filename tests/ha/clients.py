"""Senders and readers who go on whatever happens, and write into the ledger how they fared."""

import base64
import hashlib
import json
import random
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Final, Self

from registry.sandbox.personas import BAKERY, GARAGE
from tests.ha.installation import Installation
from tests.ha.ledger import OK, Acknowledgement, Attempt, Kind, Ledger
from tests.service import BASE, PublicationRequest, headers

LISTING: Final = f"{BASE}/ebox/messages?pageSize=5"
_PATIENCE: Final = 60.0  # seconds that a client waits for an answer
_PAUSE: Final = 0.15
_TOKEN_LIFE: Final = 60.0
_DOCUMENT: Final = 60_000  # bytes


class Clients:
    """Two senders and two readers at web1's HAProxy, from `with` to its end."""

    def __init__(self, installation: Installation, ledger: Ledger) -> None:
        self._installation, self._ledger = installation, ledger
        self._address = installation.network["web1"].address
        self._end = threading.Event()
        jobs = (self._publish, self._publish, self._list, self._download)
        self._threads = [threading.Thread(target=self._repeat, args=[job]) for job in jobs]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, job: Callable[[str], None]) -> None:
        persona = "sender" if job == self._publish else "other-enterprise"
        token, fetched_at = self._installation.token(persona), time.monotonic()
        while not self._end.wait(_PAUSE):
            if time.monotonic() - fetched_at > _TOKEN_LIFE:
                token, fetched_at = self._installation.token(persona), time.monotonic()
            job(token)

    def _publish(self, token: str) -> None:
        """Publish a document, again and again with the same key until it is there."""
        request = PublicationRequest(b"%PDF-1.7\n" + random.randbytes(_DOCUMENT))
        body = request.body.replace(BAKERY.digits.encode(), GARAGE.digits.encode())
        fields = headers(token, len(body), request.key)
        while not self._end.is_set():
            status, content = self._ask("publish", "POST", f"{BASE}/ebox/messages", fields, body)
            if status in (201, 409):  # 409: there since an answer that did not arrive
                message_id = json.loads(content)["messageId"]
                now = time.monotonic()
                self._ledger.acknowledge(
                    Acknowledgement(request.key, message_id, request.digest, now)
                )
                return
            self._end.wait(_PAUSE)

    def _list(self, token: str) -> None:
        self._ask("read", "GET", LISTING, {"Authorization": f"Bearer {token}"})

    def _download(self, token: str) -> None:
        """Read a document whose sender was told that it is there."""
        acknowledgements = self._ledger.acknowledgements()
        if not acknowledgements:
            return
        one = random.choice(acknowledgements)
        path = f"{BASE}/ebox/messages/{one.message_id}/attachments/1/content"
        self._ask("read", "GET", path, {"Authorization": f"Bearer {token}"}, digest=one.digest)

    def _ask(
        self,
        kind: Kind,
        method: str,
        path: str,
        fields: dict[str, str],
        body: bytes | None = None,
        digest: str | None = None,
    ) -> tuple[int, bytes]:
        """Ask, and note how it ended; gives status and content, 0 and nothing for no answer."""
        began = time.monotonic()
        connection = HTTPConnection(self._address, 8080, timeout=_PATIENCE)
        status, content = 0, b""
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
            outcome = OK if status in (200, 201, 409) else str(status)
            if status == 200 and digest and compute_digest(content) != digest:
                outcome = "other bytes"
        except (OSError, HTTPException) as error:
            outcome = type(error).__name__
        finally:
            connection.close()
        self._ledger.note(Attempt(kind, outcome, began, time.monotonic()))
        return status, content


def compute_digest(content: bytes) -> str:
    """SHA-256 as the registry writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
