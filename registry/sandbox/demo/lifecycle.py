"""A message's life, narrated: announced, read, brought to mind, put away, deleted with a proof."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import requests
from rich.console import Console
from rich.table import Table

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.demo.tour import DemoFailed, Visitor, must, visitor
from registry.sandbox.federation.addresses import EVENTS_TAKEN
from registry.sandbox.layout import Document, Layout, stand_ins
from registry.sandbox.personas import AGENCY, BAKERY
from registry.sandbox.seeds.papers import letter
from registry.sandbox.seeds.scenarios import Seed
from registry.settings import Settings
from registry.store.consultation import messages
from registry.wiring.database import make_engine
from registry.wiring.storage import make_document_store
from registry.wiring.worker import assemble_worker

T = TypeVar("T")

_TIMEOUT: Final = 30  # seconds
_PATIENCE: Final = 60.0  # seconds until an event arrives or a document is gone
_BAKERY: Final = Ebox(EboxKind.ENTERPRISE, BAKERY.digits)


def lifecycle_tour(layout: Layout, document: Document, console: Console) -> None:
    """Follow messages to their end on a running sandbox, with what the federation hears of them.

    Raises `DemoFailed`.
    """
    sender = visitor(layout, document, "sender", console)
    consumer = visitor(layout, document, "enterprise-consumer", console)
    with _talking() as http:
        stage = _Stage(layout, document, console, http)
        _announce_and_read(stage, sender, consumer)
        expiring_message = _remind(stage)
        _put_away(stage, consumer, expiring_message)
        _delete(stage, consumer)


@dataclass(frozen=True)
class _Stage:
    """The sandbox, and who listens to the stand-in of the Event Service."""

    layout: Layout
    document: Document
    console: Console
    http: requests.Session

    def hears(self, kind: str, message: object) -> None:
        """Wait until the stand-in has taken this event of this message, and print it."""
        event = _until(lambda: self._find_event(kind, str(message)), f"{kind} arrives")
        members = ("eventType", "enterpriseId", "messageId", "receiptDate", "expirationDate")
        summary = {name: event["eventData"][name] for name in members}
        self.console.print(f"The federation hears, at {event['eventTime'][:19]}:")
        self.console.print_json(json.dumps(summary))

    def work(self, *duties: str) -> None:
        """Have the worker do these now; the one of the sandbox does them by the clock."""
        options = [part for duty in duties for part in ("--only", duty)]
        command = ["worker", "--once", *options]
        self.console.print(f"registry {' '.join(command)}", highlight=False)
        result = subprocess.run(
            [sys.executable, "-m", "registry", *command],
            capture_output=True,
            text=True,
            env=self.layout.merge_environment(self.document, os.environ),
            check=False,
        )
        if result.returncode:
            complaint = result.stderr.strip() or result.stdout.strip()
            raise DemoFailed(f"registry worker ended with {result.returncode}: {complaint}")

    def settings(self) -> Settings:
        """Those of the registry in this sandbox."""
        return Settings.load(self.layout.environment(self.document))

    def plant(self, seed: Seed) -> None:
        """Put a message into the past, as no sender can; its documents first."""
        settings = self.settings()
        files = list(seed.attachments())
        blobs, engine = make_document_store(settings), make_engine(settings, "owner")
        try:
            for row, content in files:
                blobs.put(row["blob_key"], [content])
            columns = seed.columns(datetime.now(UTC))
            with engine.begin() as connection:
                messages.add(connection, seed.ebox, columns, [row for row, _ in files])
        finally:
            blobs.client.close()
            engine.dispose()

    def _find_event(self, kind: str, message: str) -> dict[str, Any] | None:
        answer = self.http.get(stand_ins(self.document) + EVENTS_TAKEN, timeout=_TIMEOUT)
        must(answer.ok, "The stand-in shows what it took")
        events = ((item, item["eventData"]) for item in answer.json())
        return next(
            (
                item
                for item, event in events
                if (event["eventType"], event["messageId"]) == (kind, message)
            ),
            None,
        )


def _announce_and_read(stage: _Stage, sender: Visitor, consumer: Visitor) -> None:
    stage.console.rule("An agency publishes; the worker announces it to the federation")
    message = _publish(stage.http, sender)
    stage.hears("newDocument", message)

    stage.console.rule("The bakery reads it, and the federation hears that too")
    consumer.get(f"/ebox/messages/{message}/body")
    stage.hears("readDocument", message)


def _remind(stage: _Stage) -> UUID:
    """The id of the message that expires soon."""
    stage.console.rule("Fifteen days unread, and a week before the end: what the clock brings up")
    hours = 24 * stage.settings().reminder_days
    old = _seed("Al lang ongelezen", "Non lu depuis longtemps", hours_ago=hours)
    ending = _seed("Vervalt over een week", "Expire dans une semaine", days_left=7)
    for seed in (old, ending):
        stage.plant(seed)
    stage.work("remind", "alert", "deliver")
    stage.hears("newDocumentReminder", old.message_id)
    stage.hears("documentExpirationAlert", ending.message_id)
    return ending.message_id


def _put_away(stage: _Stage, consumer: Visitor, message: UUID) -> None:
    stage.console.rule("The bakery moves the letter to another partition, and puts it out of sight")
    change = {"messageId": str(message), "partition": "partitionB", "isVisible": False}
    answer = stage.http.patch(
        consumer.base + "/ebox/messages",
        data=json.dumps({"items": [change]}),
        headers={
            "Authorization": f"Bearer {consumer.token}",
            "Content-Type": "application/merge-patch+json",
        },
        timeout=_TIMEOUT,
    )
    must(answer.status_code == 200, f"PATCH /ebox/messages answers {answer.status_code}, not 200")
    stage.console.print(f"PATCH /ebox/messages {json.dumps(change)}", highlight=False)
    for is_visible, is_there in (("false", True), ("true", False)):
        query: dict[str, Any] = {"partition": "partitionB", "isVisible": is_visible}
        items = consumer.get("/ebox/messages", **query).json()["items"]
        must((str(message) in {item["messageId"] for item in items}) is is_there, "It is hidden")
    stage.console.print("It is in partitionB, among what is out of sight.")


def _delete(stage: _Stage, consumer: Visitor) -> None:
    stage.console.rule("What has expired is deleted, and leaves a proof")
    paper = letter("Verlopen", "Te bewaren tot gisteren", "À garder jusqu'à hier")
    seed = _seed("Verlopen", "Expiré", days_left=-1, files=(("verlopen.pdf", paper, True),))
    stage.plant(seed)
    worker_services = assemble_worker(stage.settings())
    try:
        blobs, tomorrow = worker_services.purge.blobs, datetime.now(UTC) + timedelta(days=1)
        prefix = f"seed/{seed.message_id}/"
        must(list(blobs.keys(prefix, tomorrow)), "Its document is in storage")
        stage.work("purge")
        proofs = _until(
            lambda: worker_services.deletion_proofs.find(seed.message_id), "There is a proof"
        )
        _until(lambda: not list(blobs.keys(prefix, tomorrow)), "Its document is gone")
    finally:
        worker_services.dispose()
    consumer.get(f"/ebox/messages/{seed.message_id}", status=404)
    table = Table("the proof says", "", show_header=False)
    for name in ("message_id", "ebox_hash", "documents", "expired_at", "deleted_at"):
        table.add_row(name, str(getattr(proofs[0], name)))
    stage.console.print(table)
    must(BAKERY.digits not in str(proofs[0]), "The proof does not name the e-Box")


def _seed(nl: str, fr: str, **more: Any) -> Seed:
    """A message in the bakery's e-Box that no other sandbox has."""
    return Seed(f"lifecycle-{uuid4()}", _BAKERY, nl, fr, **more)


def _publish(http: requests.Session, sender: Visitor) -> str:
    message = {
        "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
        "recipient": {"eboxType": "enterprise", "enterpriseNumber": BAKERY.digits},
        "subject": {"nl": "Uw vergunning", "fr": "Votre permis"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "bodyContent": {"nl": "De oven mag aan.", "fr": "Le four peut être allumé."},
        "isBodyMainContent": True,
    }
    answer = http.post(
        f"{sender.base}/ebox/messages",
        files={"messageToPublish": (None, json.dumps(message), "application/json")},
        headers={"Authorization": f"Bearer {sender.token}", "Idempotency-Key": f'"{uuid4()}"'},
        timeout=_TIMEOUT,
    )
    must(answer.status_code == 201, f"POST /ebox/messages answers {answer.status_code}, not 201")
    return str(answer.json()["messageId"])


def _until(look: Callable[[], T | None], promise: str) -> T:
    """Call `look` until it gives anything; raises `DemoFailed` when that takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while not (result := look()):
        must(time.monotonic() < deadline, promise)
        time.sleep(0.2)
    return result


@contextmanager
def _talking() -> Iterator[requests.Session]:
    """A session past any proxy: everything is on loopback; raises `DemoFailed` for no answer."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            yield session
        except requests.RequestException as error:
            raise DemoFailed(f"There is no answer: {error}") from None
