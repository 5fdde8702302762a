"""Evidence: what database, storage and event service have, as somebody sees it from outside."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

import psycopg

from registry.sandbox.federation.addresses import EVENTS_TAKEN
from registry.sandbox.personas import GARAGE
from registry.sandbox.servers.processes import LOOPBACK
from tests.journeys.ledger.book import Book, Letter, SentDocument
from tests.journeys.ledger.callers import PATIENCE, Tokens, digest
from tests.service import BASE, Service
from tests.trail_entries import read_trail

Copy = tuple[str, str]  # an e-Box and the id of a message in it

_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class FiledDocument:
    """A document of a message as the database has it."""

    document: SentDocument
    key: str


@dataclass
class Evidence:
    """What is there; `events` and `entries` are counted.

    `ids` are messages by the key that they were published under, `broadcasts` those that were
    recorded, by their key, and if they are finished. `answers` are documents that the reader of a
    copy got, None where he got no message.
    """

    messages: set[Copy] = field(default_factory=set)
    documents: dict[Copy, list[FiledDocument]] = field(default_factory=lambda: defaultdict(list))
    texts: set[Copy] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    broadcasts: dict[str, bool] = field(default_factory=dict)
    proofs: dict[Copy, list[SentDocument]] = field(default_factory=dict)
    erasures: set[str] = field(default_factory=set)
    notes: int = 0
    entries: Counter[tuple[str, str]] = field(default_factory=Counter)
    objects: dict[str, int] = field(default_factory=dict)
    events: Counter[Copy] = field(default_factory=Counter)
    answers: dict[Copy, list[SentDocument] | None] = field(default_factory=dict)


def gather(service: Service, owner: psycopg.Connection, port: int, book: Book) -> Evidence:
    """Gather all of it, once everything is quiet."""
    evidence = Evidence()
    _ask_database(owner, evidence)
    _list_objects(service, evidence)
    _list_events(service, evidence)
    tokens = Tokens(service)
    for letter, ebox in book.list_copies():
        reader = letter.reader if ebox == letter.ebox else _find_reader(ebox)
        if reader and ebox not in letter.purged:
            copy = (ebox, str(letter.message_id))
            evidence.answers[copy] = _read(port, tokens.get(reader), letter)
    return evidence


def _find_reader(ebox: str) -> str | None:
    """Of a broadcast the garage reads its copy."""
    return "other-enterprise" if ebox == f"enterprise:{GARAGE.digits}" else None


def _ask_database(owner: psycopg.Connection, evidence: Evidence) -> None:
    def ask(query: str) -> list[tuple[Any, ...]]:
        return owner.execute(query.encode()).fetchall()

    evidence.messages = set(ask("SELECT ebox, message_id::text FROM messages"))
    evidence.texts = set(ask("SELECT ebox, message_id::text FROM search_texts"))
    for ebox, message_id, size, value, key in ask(
        "SELECT ebox, message_id::text, size, digest, blob_key FROM attachments"
    ):
        row = FiledDocument(SentDocument(size, value), key)
        evidence.documents[ebox, message_id].append(row)
    evidence.ids = dict(ask("SELECT idempotency_key, message_id::text FROM sent_messages"))
    finished = "SELECT idempotency_key, finished_at IS NOT NULL FROM broadcasts"
    evidence.broadcasts = dict(ask(finished))
    for ebox_hash, message_id, documents in ask(
        "SELECT ebox_hash, message_id::text, documents FROM deletions"
    ):
        proof = [SentDocument(each["size"], each["digest"]) for each in documents]
        evidence.proofs[ebox_hash, message_id] = proof
    evidence.erasures = {key for (key,) in ask("SELECT blob_key FROM doomed_documents")}
    ((evidence.notes,),) = ask("SELECT count(*) FROM upload_notes")
    for row in read_trail(owner):
        entry = json.loads(row.entry)
        method, url = entry["API_CALL_REQUEST_METHOD"], entry["API_CALL_REQUEST_URL"]
        if method == "POST" or url == "urn:registry:purge":
            evidence.entries[method, entry["API_CALL_DETAILS"].get("messageId")] += 1


def _list_objects(service: Service, evidence: Evidence) -> None:
    client = service.objects.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=service.objects.bucket)
    evidence.objects = {each["Key"]: each["Size"] for page in pages for each in page["Contents"]}
    client.close()


def _list_events(service: Service, evidence: Evidence) -> None:
    for event in service.control("GET", f"{EVENTS_TAKEN}?after=0"):
        facts = event["eventData"]
        if facts["eventType"] == "newDocument":
            evidence.events[f"enterprise:{facts['enterpriseId']}", facts["messageId"]] += 1


def _read(port: int, token: str, letter: Letter) -> list[SentDocument] | None:
    """All documents of a message as its reader downloads them; None without the message."""
    bearer = {"Authorization": f"Bearer {token}"}
    path = f"/ebox/messages/{letter.message_id}"
    status, content = _get(port, bearer, path)
    if status != 200:
        return None
    documents = []
    for each in json.loads(content)["attachments"]["items"]:
        status, content = _get(port, bearer, f"{path}/attachments/{each['attachmentId']}/content")
        if status == 200:
            documents.append(SentDocument(len(content), digest(content)))
    return documents


def _get(port: int, bearer: dict[str, str], path: str) -> tuple[int, bytes]:
    """Status and content; asks again a few times, since a slow machine has calls time out."""
    status, content = 0, b""
    for _ in range(_ATTEMPTS):
        connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
        try:
            connection.request("GET", BASE + path, headers=bearer)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, HTTPException):  # bytes that are not right are broken off
            status = 0
        finally:
            connection.close()
        if 0 < status < 500:
            break
    return status, content
