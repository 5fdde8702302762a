"""Callers of the API, who write into the book what they ask and what they are answered."""

import base64
import hashlib
import json
import random
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from uuid import uuid4

from registry.sandbox.personas import AGENCY, BAKERY, GARAGE, PERSONAS
from registry.sandbox.servers.processes import LOOPBACK
from registry.sandbox.tokens import fetch
from tests.factories import an_enterprise
from tests.journeys.ledger.book import Kind, Letter, Mailing, SentDocument
from tests.service import BASE, BOUNDARY, Service, headers

PATIENCE: Final = 300  # seconds
RECIPIENTS: Final = 1_050  # of a broadcast: two chunks
_TOKEN_LIFE: Final = 900.0  # seconds for which one is used; it is good for an hour
# Bytes of a document, and how many of a hundred have so many; the largest go to storage in parts.
_SIZES: Final = ((1_000, 40_000, 60), (40_000, 400_000, 34), (9_000_000, 12_000_000, 6))
_MAKERS: Final = {Kind.PUBLICATION: "sender", Kind.REPLY: "enterprise-consumer"}
_BUSY: Final = (408, 429)  # nobody is at fault when the machine is slow


class Refused(Exception):
    """A caller was answered that he is at fault, which none is."""


@dataclass
class Tokens:
    """Bearer tokens of the personas."""

    service: Service
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def get(self, persona: str) -> str:
        token, until = self._tokens.get(persona, ("", 0.0))
        if time.monotonic() > until:
            keys = self.service.area / "keys"
            token = fetch(self.service.federation.token_url, PERSONAS[persona], keys)
            self._tokens[persona] = token, time.monotonic() + _TOKEN_LIFE
        return token


@dataclass
class LetterRequest:
    """A publication or a reply with its documents, which can be sent again under its key."""

    letter: Letter
    path: str
    body: bytes
    original: Letter | None = None  # that is replied to

    @property
    def size(self) -> int:
        """Bytes of its documents."""
        return sum(document.size for document in self.letter.documents)

    def send(self, port: int, tokens: Tokens) -> bool:
        """Ask once, and write down the answer; False when there was none that says how it is."""
        token = tokens.get(_MAKERS[self.letter.kind])
        more = headers(token, len(self.body), self.letter.key)
        status, members = call(port, "POST", self.path, more, self.body)
        # Of a key that was used before, the answer names the message of that time.
        return _note(status, members, {201, 409}) and self._keep(members["messageId"])

    def _keep(self, message_id: str) -> bool:
        self.letter.message_id, self.body = message_id, b""
        return True


@dataclass
class MailingRequest:
    """A broadcast, which can be sent again under its key."""

    mailing: Mailing
    size: int = 0

    def send(self, port: int, tokens: Tokens) -> bool:
        """Ask once, and write down the answer; False when there was none that says how it is."""
        mailing = self.mailing
        numbers = [recipient.partition(":")[2] for recipient in mailing.recipients]
        recipients = [{"eboxType": "enterprise", "enterpriseNumber": each} for each in numbers]
        more = {
            "Authorization": f"Bearer {tokens.get('sender')}",
            "Content-Type": "application/json",
            "Idempotency-Key": f'"{mailing.key}"',
        }
        path = f"/ebox/messages/{mailing.letter.message_id}/recipients"
        body = json.dumps({"recipients": recipients}).encode()
        status, members = call(port, "POST", path, more, body)
        if not _note(status, members, {201}):
            return False
        if members["nbSuccessLinks"] != len(numbers):
            raise Refused(f"A broadcast to {len(numbers)} reached {members['nbSuccessLinks']}.")
        mailing.is_acknowledged = True
        return True


def write_publication(rng: random.Random, *, is_small: bool = False) -> LetterRequest:
    """Write a message of the agency to the bakery, who may reply to it."""
    message = {
        "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
        "recipient": {"eboxType": "enterprise", "enterpriseNumber": BAKERY.digits},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "isReplyAuthorized": True,
    }
    ebox = f"enterprise:{BAKERY.digits}"
    return _write(rng, Kind.PUBLICATION, message, ebox, "/ebox/messages", is_small=is_small)


def write_reply(rng: random.Random, message_id: str) -> LetterRequest:
    """Write the bakery's answer to a message of the agency."""
    path = f"/ebox/messages/{message_id}/replies"
    return _write(rng, Kind.REPLY, {}, f"enterprise:{AGENCY.digits}", path)


def write_mailing(letter: Letter) -> MailingRequest:
    """Write a broadcast of a letter; the garage, which reads its copy, is in the last chunk."""
    numbers = [an_enterprise() for _ in range(RECIPIENTS - 1)]
    recipients = tuple(f"enterprise:{number}" for number in (*numbers, GARAGE.digits))
    return MailingRequest(Mailing(letter, str(uuid4()), recipients))


def call(port: int, method: str, path: str, more: dict[str, str], body: bytes | None = None):
    """Status and members of an answer of the API; 0 for none, or half of one."""
    connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    try:
        connection.request(method, BASE + path, body, more)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        return 0, {}
    finally:
        connection.close()


def _note(status: int, members: Any, answers: set[int]) -> bool:
    """Tell if the answer is one of these; raises `Refused` for another that blames the caller."""
    if status in answers:
        return True
    if status and status < 500 and status not in _BUSY:
        raise Refused(f"{status}: {members}")
    return False


def _write(
    rng: random.Random, kind: Kind, message: dict, ebox: str, path: str, *, is_small: bool = False
) -> LetterRequest:
    count = 1 if is_small else rng.choice((1, 1, 2, 3))
    contents = [_draw_content(rng, is_small=is_small) for _ in range(count)]
    documents = tuple(_describe(content) for content in contents)
    members = {
        **message,
        "subject": {"nl": "Een brief", "fr": "Une lettre"},
        "attachments": [
            {
                "httpPartName": f"file-{number}",
                "isMainContent": number == 0,
                "digest": {"digestValue": document.digest, "digestMethod": "sha_256"},
            }
            for number, document in enumerate(documents)
        ],
    }
    parts = [_make_part(number, content) for number, content in enumerate(contents)]
    opening = 'name="messageToPublish"\r\nContent-Type: application/json'
    parts.insert(rng.choice((0, len(parts))), _join(opening, json.dumps(members).encode()))
    body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    reader = "enterprise-consumer" if kind is Kind.PUBLICATION else "sender"
    return LetterRequest(Letter(kind, str(uuid4()), ebox, reader, documents), path, body)


def _draw_content(rng: random.Random, *, is_small: bool) -> bytes:
    least, most, _ = (
        _SIZES[0] if is_small else rng.choices(_SIZES, [share for *_, share in _SIZES])[0]
    )
    return b"%PDF-1.7\n" + rng.randbytes(rng.randrange(least, most))


def _describe(content: bytes) -> SentDocument:
    return SentDocument(len(content), digest(content))


def digest(content: bytes) -> str:
    """SHA-256 in base64url."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()


def _make_part(number: int, content: bytes) -> bytes:
    name = f'name="file-{number}"; filename="file-{number}.pdf"'
    return _join(f"{name}\r\nContent-Type: application/pdf", content)


def _join(disposition: str, content: bytes) -> bytes:
    opening = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return opening.encode() + content + b"\r\n"
