"""The other half of the main job, narrated: publish, be routed, be read, be replied to."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

import requests
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from registry.sandbox.demo.tour import DemoFailed, Visitor, must, visitor
from registry.sandbox.layout import Document, Layout
from registry.sandbox.personas import AGENCY, BAKERY, PERSONAS, SENDER
from registry.sandbox.seeds.papers import letter

_TIMEOUT: Final = 30  # seconds
_DIRECT: Final = {"no_proxy": "*", "NO_PROXY": "*"}  # everything is on loopback
_MAIN: Final = "letter"  # the part of the main document

Papers = Mapping[str, bytes]  # by the name of their part


def publication_tour(layout: Layout, document: Document, console: Console) -> None:
    """Publish a message of three documents on a running sandbox, and follow it.

    Raises `DemoFailed`.
    """
    sender = visitor(layout, document, "sender", console)
    consumer = visitor(layout, document, "enterprise-consumer", console)
    papers = _papers()

    console.rule("An agency publishes a message of three documents")
    receipt = _publish(layout, document, papers, console)
    message = str(receipt["messageId"])
    must("code" not in receipt, "The bakery has opened its e-Box before")
    console.print(f"{message}, until {receipt['expirationDate'][:10]}")

    _find(consumer, message, console)
    _open_main_document(consumer, message, papers, console)
    _reply(consumer, sender, message, console)


def _publish(
    layout: Layout, document: Document, papers: Papers, console: Console
) -> dict[str, Any]:
    """As any Document Sender may: with `registry publish`, whose report this is."""
    with TemporaryDirectory(prefix="registry-papers-") as folder:
        files = []
        for part, content in papers.items():
            path = Path(folder) / f"{part}.pdf"
            path.write_bytes(content)
            files += ["--file", f"{part}={path}"]
        options = [
            *("--to", document["baseUrls"]["enterprise"]["v3"]),
            *("--token-url", document["tokenUrl"]),
            *("--client-id", PERSONAS["sender"].client_id),
            *("--key", str(layout.key("sender"))),
            *("--scope", SENDER),
            *("--message", "-"),
            *files,
            *("--main", _MAIN),
        ]
        command_line = " ".join(options).replace(" --", " \\\n    --")
        console.print(f"registry publish {escape(command_line)}", highlight=False, soft_wrap=True)
        result = subprocess.run(
            [sys.executable, "-m", "registry", "publish", *options, "--json"],
            input=json.dumps(_message()),
            capture_output=True,
            text=True,
            env={**os.environ, **_DIRECT},
            check=False,
        )
    if result.returncode:
        complaint = result.stderr.strip() or result.stdout.strip()
        raise DemoFailed(f"registry publish ended with {result.returncode}: {complaint}")
    outcome: dict[str, Any] = json.loads(result.stdout)
    return outcome


def _find(consumer: Visitor, message_id: str, console: Console) -> None:
    console.rule("The bakery's routing rule has put it into partitionB, at once")
    item = _find_unread(
        consumer, message_id, partition="partitionB", messageTypeId="information-letter"
    )
    must(item["recipient"]["partition"] == "partitionB", "It says that it is in partitionB")
    table = Table("document", "main", "SHA-256")
    for paper in item["attachments"]["items"]:
        main = "yes" if paper["isMainContent"] else "no"
        table.add_row(paper["fileName"], main, paper["digest"]["digestValue"])
    console.print(f"{item['subject']['fr']} → {item['recipient']['partition']}")
    console.print(table)


def _open_main_document(consumer: Visitor, message: str, papers: Papers, console: Console) -> None:
    console.rule("Its main document arrives byte for byte, and the message is read")
    attachments = consumer.get(f"/ebox/messages/{message}/attachments").json()["items"]
    must(len(attachments) == len(papers), "All documents are there")
    main = [paper["attachmentId"] for paper in attachments if paper["isMainContent"]]
    must(len(main) == 1, "One of them is the main one")
    content = f"/ebox/messages/{message}/attachments/{main[0]}/content"
    must(consumer.get(content).content == papers[_MAIN], "The document is the one that was sent")
    must(consumer.get(f"/ebox/messages/{message}").json()["isRead"], "The message is read now")
    console.print(f"GET {content}\n  {len(papers[_MAIN])} bytes, as sent; isRead is true now")


def _reply(consumer: Visitor, sender: Visitor, message: str, console: Console) -> None:
    console.rule("The bakery replies, and the agency finds the reply in its own e-Box")
    answer = {
        "subject": {"nl": "Re: de nieuwe oven", "fr": "Re : le nouveau four"},
        "bodyContent": {"nl": "Dank u, dat past ons.", "fr": "Merci, cela nous convient."},
        "isBodyMainContent": True,
    }
    reply = _post(consumer, f"/ebox/messages/{message}/replies", answer)["messageId"]
    item = _find_unread(sender, reply)
    must(item["originalMessageId"] == message, "The reply names the message it answers")
    must(item["sender"]["enterpriseNumber"] == BAKERY.digits, "The reply is the bakery's")
    console.print(f"{item['subject']['fr']}, from {item['sender']['enterpriseNumber']}")


def _find_unread(reader: Visitor, message: str, **query: Any) -> dict[str, Any]:
    """Find the message in a listing of what is unread; raises `DemoFailed` without it."""
    items = reader.get("/ebox/messages", isRead="false", **query).json()["items"]
    same = [item for item in items if item["messageId"] == message]
    must(len(same) == 1, "The new message is listed once")
    return dict(same[0])


def _papers() -> dict[str, bytes]:
    return {
        _MAIN: letter("Informatiebrief", "Uw nieuwe oven", "Votre nouveau four"),
        "plan": letter("Plan", "Bijlage 1", "Annexe 1"),
        "conditions": letter("Voorwaarden", "Bijlage 2", "Annexe 2"),
    }


def _message() -> dict[str, Any]:
    """All but the attachments, which `registry publish` adds for its files."""
    return {
        "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
        "recipient": {"eboxType": "enterprise", "enterpriseNumber": BAKERY.digits},
        "subject": {"nl": "De nieuwe oven", "fr": "Le nouveau four"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "isReplyAuthorized": True,
    }


def _post(visitor: Visitor, path: str, message: dict[str, Any]) -> dict[str, Any]:
    """Post a message without documents and give the receipt; raises `DemoFailed` but for a 201."""
    answer = requests.post(
        visitor.base + path,
        files={"messageToPublish": (None, json.dumps(message), "application/json")},
        headers={
            "Authorization": f"Bearer {visitor.token}",
            "Idempotency-Key": f'"{uuid4()}"',
        },
        timeout=_TIMEOUT,
    )
    if answer.status_code != 201:
        raise DemoFailed(f"POST {path} answered {answer.status_code}, not 201.")
    receipt: dict[str, Any] = answer.json()
    return receipt
