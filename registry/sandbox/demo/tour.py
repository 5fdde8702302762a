"""The main job, narrated: a token, a listing, a search, a document, and a stranger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from registry.sandbox import tokens
from registry.sandbox.layout import Document, Layout
from registry.sandbox.personas import PERSONAS

_TIMEOUT = 10  # seconds


class DemoFailed(Exception):
    """The registry did not do what the tour tells."""


@dataclass(frozen=True)
class Visitor:
    """A persona with its token, at its base path."""

    base: str
    token: str

    def get(self, path: str, status: int = 200, **query: Any) -> requests.Response:
        """GET below the base path; raises `DemoFailed` for another `status`."""
        answer = requests.get(
            self.base + path,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=_TIMEOUT,
        )
        if answer.status_code != status:
            raise DemoFailed(f"GET {path} answered {answer.status_code}, not {status}.")
        return answer


def tour(layout: Layout, document: Document, console: Console) -> None:
    """Walk through the main job on a running sandbox; raises `DemoFailed`."""
    user = visitor(layout, document, "portal-user", console)
    stranger = visitor(layout, document, "other-enterprise", console)
    message = _look_around(user, console)
    content = f"/ebox/messages/{message}/attachments/1/content"

    console.rule("The main document is opened, and the message is read")
    before = user.get("/ebox/statistics").json()["numberOfUnreadMessages"]
    paper = user.get(content)
    must(paper.content.startswith(b"%PDF-"), "The document is a PDF")
    console.print(f"GET {content}\n  {paper.headers['Content-Type']}, {len(paper.content)} bytes")
    must(user.get(f"/ebox/messages/{message}").json()["isRead"], "The message is read now")
    after = user.get("/ebox/statistics").json()["numberOfUnreadMessages"]
    must(after == before - 1, "One message fewer is unread")
    console.print(f"isRead is true now; unread messages: {before} → {after}")

    console.rule("Somebody else's token gets nothing")
    refusal = stranger.get(content, status=404).json()
    console.print(f"{refusal['status']} {refusal['title']}, as for an id that never existed")
    nobody = requests.get(user.base + "/ebox/messages", timeout=_TIMEOUT)
    must(nobody.status_code == 401, "Without a token there is no answer")
    console.print(f"{nobody.status_code} {nobody.json()['title']}, without any token")


def _look_around(user: Visitor, console: Console) -> str:
    """List, search, and choose the message to open."""
    console.rule("The e-Box, newest first; only partitions that this person may read")
    page = user.get("/ebox/messages", pageSize=10).json()
    table = Table("received", "subject", "partition", "read")
    for message in page["items"]:
        table.add_row(
            message["receiptDate"][:16],
            message["subject"]["fr"],
            message["recipient"]["partition"],
            "yes" if message["isRead"] else "no",
        )
    console.print(table)
    console.print(f"{len(page['items'])} of {page['totalItems']} messages")

    console.rule("Search without caring for accents: “epinards”, “OEUFS”")
    for text in ("epinards", "OEUFS"):
        page = user.get("/ebox/messages", q=text, qlang="fr").json()
        must(page["totalItems"] == 1, f"“{text}” is found once")
        console.print(f"q={text}: {page['items'][0]['subject']['fr']}")
    unread = user.get("/ebox/messages", isRead="false", messageTypeId="tax-assessment").json()
    message = next(_with_documents(unread["items"]))
    return str(message["messageId"])


def _with_documents(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (message for message in messages if message["attachments"]["totalItems"])


def visitor(layout: Layout, document: Document, name: str, console: Console) -> Visitor:
    """A persona with a fresh token, introduced."""
    persona = PERSONAS[name]
    token = tokens.fetch(document["tokenUrl"], persona, layout.keys)
    console.print(f"A token for [bold]{name}[/], got with a signed assertion: {persona.about}")
    return Visitor(document["baseUrls"]["enterprise"]["v3"], token)


def must(holds: object, promise: str) -> None:
    """Raises `DemoFailed` unless the promise holds."""
    if not holds:
        raise DemoFailed(f"This should hold and does not: {promise}.")
