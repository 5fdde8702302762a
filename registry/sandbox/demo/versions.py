"""One message through both versions of the interface, narrated."""

import json
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import requests
from rich.console import Console
from rich.table import Table

from registry.sandbox.demo.tour import DemoFailed, Visitor, must, visitor
from registry.sandbox.layout import Document, Layout
from registry.sandbox.personas import AGENCY, BAKERY

_TIMEOUT: Final = 30  # seconds
# What a reader meets under another name.
_NAMES: Final = (
    ("readStatus", "isRead"),
    ("visible", "isVisible"),
    ("registeredMail", "isRegisteredMail"),
    ("replyAuthorized", "isReplyAuthorized"),
)


def versions_tour(layout: Layout, document: Document, console: Console) -> None:
    """Publish in version 2.1, read in both; raises `DemoFailed`."""
    sender = _in_version_2(visitor(layout, document, "sender", console), document)
    reader = visitor(layout, document, "enterprise-consumer", console)
    former = _in_version_2(reader, document)

    console.rule("A sender that has not migrated publishes in version 2.1")
    message = str(_publish(sender)["messageId"])
    console.print(f"POST /publishMessage: {message}")

    console.rule("Both versions show the same message")
    old = former.get(f"/ebox/messages/{message}").json()
    new = reader.get(f"/ebox/messages/{message}").json()
    must(old["senderOrganizationId"] == new["sender"]["enterpriseNumber"], "The sender is the same")
    must(all(old[before] == new[now] for before, now in _NAMES), "Both say the same of it")
    table = Table("", "version 2.1", "version 3")
    table.add_row("sender", old["senderOrganizationId"], new["sender"]["enterpriseNumber"])
    table.add_row("in German", old["subject"]["de"], new["subject"]["de"])
    for before, now in _NAMES:
        table.add_row("", f"{before}: {old[before]}", f"{now}: {new[now]}")
    console.print(table)

    console.rule("Read in version 3, it is read in version 2.1 too")
    must(reader.get(f"/ebox/messages/{message}/body").json()["fr"], "The body is there in French")
    must(former.get(f"/ebox/messages/{message}").json()["readStatus"], "It is read in both")
    console.print("GET …/v3/…/body, then GET …/v2/…: readStatus is true")


def _in_version_2(somebody: Visitor, document: Document) -> Visitor:
    return replace(somebody, base=document["baseUrls"]["enterprise"]["v2"])


def _publish(sender: Visitor) -> dict[str, Any]:
    message = {
        "senderOrganizationId": AGENCY.digits,
        "senderApplicationId": "sandbox-sender",
        "messageTypeId": "information-letter",
        "recipient": {"eboxType": "enterprise", "eboxIdValue": BAKERY.digits},
        "subject": {"nl": "Brood in twee versies", "fr": "Du pain en deux versions"},
        "bodyContent": {"nl": "Dit is de brief zelf.", "fr": "Voici la lettre même."},
        "bodyMainContent": True,
        "replyAuthorized": False,
        "attachments": [],
    }
    answer = requests.post(
        sender.base + "/publishMessage",
        files={"messageToPublish": (None, json.dumps(message), "application/json")},
        headers={"Authorization": f"Bearer {sender.token}", "Idempotency-Key": f'"{uuid4()}"'},
        timeout=_TIMEOUT,
    )
    if answer.status_code != 201:
        raise DemoFailed(f"POST /publishMessage answered {answer.status_code}, not 201.")
    receipt: dict[str, Any] = answer.json()
    return receipt
