"""The whole service for journeys and benchmarks: gunicorn on real parts, all throw-away."""

import base64
import hashlib
import json
import signal
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import create_engine

from registry import migrations
from registry.sandbox.federation.process import Federation
from registry.sandbox.personas import AGENCY, AUDIT_KEY, BAKERY, PERSONAS, SENDER, enroll
from registry.sandbox.seeds import reference
from registry.sandbox.servers.postgres import APPLICATION_ROLE, WORKER, Cluster
from registry.sandbox.servers.processes import LOOPBACK, Process, answers, free_port
from registry.sandbox.servers.seaweed import ObjectStore
from registry.sandbox.tokens import fetch

CONF = "python:registry.gunicorn"
BASE = "/REST/ebox/enterprise/messageRegistry/v3"
BOUNDARY = "----a-boundary-of-our-own"


class Service:
    """PostgreSQL, SeaweedFS, the federation's stand-ins, and gunicorn once `serve` is called."""

    def __init__(self, area: Path, *, durable: bool = False):
        self.area = area
        self._durable = durable
        self._started = 0
        self._stack = ExitStack()

    def __enter__(self):
        with ExitStack() as stack:
            self.cluster = stack.enter_context(
                Cluster(self.area / "postgres", durable=self._durable)
            )
            self.objects = stack.enter_context(ObjectStore(self.area / "objects"))
            enroll(self.area / "keys", self.area)
            self.federation = stack.enter_context(Federation(self.area))
            engine = create_engine(self.cluster.url("owner"))
            migrations.upgrade(engine, APPLICATION_ROLE)
            with engine.begin() as connection:
                reference.plant(connection)
            engine.dispose()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def env(self):
        """The settings of the registry."""
        return {
            "REGISTRY_ENVIRONMENT": "test",
            "REGISTRY_PUBLIC_URL": "http://localhost",
            "REGISTRY_DATABASE_URL": self.cluster.url("application"),
            "REGISTRY_DATABASE_WORKER_URL": self.cluster.url(WORKER),
            "REGISTRY_HASH_KEY": "of a throw-away service, whom nobody looks for",
            "REGISTRY_EVENTS_URL": self.federation.events_url,
            "REGISTRY_S3_ENDPOINT": self.objects.endpoint,
            "REGISTRY_S3_BUCKET": self.objects.bucket,
            "REGISTRY_S3_ACCESS_KEY": self.objects.access_key,
            "REGISTRY_S3_SECRET_KEY": self.objects.secret_key,
            "REGISTRY_AUDIT_BUCKET": self.objects.seals,
            "REGISTRY_AUDIT_KEY_PATH": str(self.area / "keys" / AUDIT_KEY),
            "REGISTRY_AUDIT_SEAL_EVERY": "0",
            "REGISTRY_OAUTH_TOKEN_URL": self.federation.token_url,
            "REGISTRY_OAUTH_INTROSPECT_URL": self.federation.introspect_url,
            "REGISTRY_OAUTH_CLIENT_ID": PERSONAS["registry"].client_id,
            "REGISTRY_OAUTH_KEY_PATH": str(self.area / "keys" / "registry.pem"),
            "REGISTRY_PARTITION_URL": self.federation.partition_url,
            "REGISTRY_RATE_LIMIT": "0",
            "no_proxy": "*",
        }

    def serve(self, *, workers: int | None = None, program=None, folder=None):
        """Start gunicorn, perhaps that of another environment, and wait for its first answer."""
        self.gunicorn, self.port = self.start_gunicorn(
            "gunicorn", workers=workers, program=program, folder=folder
        )
        self.gunicorn.wait_until(lambda: answers(health_url(self.port)), timeout=60)

    def start_gunicorn(
        self, name: str, *, workers: int | None = None, program=None, folder=None
    ) -> tuple[Process, int]:
        """Start one without waiting for it; the process, which ends with the service, and port."""
        port = free_port()
        command = [program] if program else [sys.executable, "-m", "gunicorn"]
        command += ["-c", CONF, "--no-control-socket", *(["--chdir", folder] if folder else [])]
        command += ["-b", f"{LOOPBACK}:{port}", *(["-w", str(workers)] if workers else [])]
        process = Process("gunicorn", self.area / f"{name}.log", signal.SIGQUIT)
        self._stack.callback(process.stop)
        return process.start(command, env=self.env), port

    def start_worker(self, *options: str, **settings: str) -> Process:
        """A `registry worker` beside gunicorn, which ends with the service at the latest."""
        self._started += 1
        log = self.area / f"worker-{self._started}.log"
        process = Process("worker", log, grace=10)
        self._stack.callback(process.stop)
        command = [sys.executable, "-m", "registry", "worker", *options]
        return process.start(command, env={**self.env, **settings})

    def control(self, method: str, path: str, body=None):
        """What the stand-ins' own switches say, which no fault touches."""
        address = urlsplit(self.federation.base_url)
        connection = HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            return json.loads(connection.getresponse().read() or b"null")
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The processes that answer, as they are now."""
        return list_children(self.gunicorn.pid)

    def token(self) -> str:
        """A fresh one of the agency's software."""
        return fetch(
            self.federation.token_url, PERSONAS["sender"], self.area / "keys", scopes=[SENDER]
        )


def health_url(port: int) -> str:
    """Where a gunicorn says how it is."""
    return f"http://{LOOPBACK}:{port}{BASE}/health"


def list_children(pid: int) -> list[int]:
    """The processes that a process started, and that live."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@dataclass
class PublicationRequest:
    """A message of one document as it goes over the wire, in pieces that are made when needed."""

    document: bytes
    media_type: str = "application/pdf"
    message_first: bool = True
    key: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self):
        self.digest = base64.urlsafe_b64encode(hashlib.sha256(self.document).digest()).decode()
        message = _part(
            'name="messageToPublish"', "application/json", json.dumps(a_publication(self.digest))
        )
        opening = _part('name="letter"; filename="letter.pdf"', self.media_type, "")
        file = [opening, self.document]
        ends = f"\r\n--{BOUNDARY}--\r\n".encode()
        parts = [message, *file] if self.message_first else [*file, message]
        self.body = b"".join([*parts, ends])
        self.message_at = self.body.index(message)
        self.document_at = self.body.index(opening) + len(opening)
        self.message_size = len(message)

    def head(self, token: str) -> bytes:
        """Request line and headers."""
        return head(token, len(self.body), self.key)

    def send(self, port: int, token: str, *, key: str | None = None) -> tuple[int, dict]:
        """All of it at once, with its own key unless given; status and members of the answer."""
        connection = HTTPConnection(LOOPBACK, port, timeout=60)
        try:
            connection.request(
                "POST",
                f"{BASE}/ebox/messages",
                self.body,
                headers(token, len(self.body), key or self.key),
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def send_until_answered(self, port: int, token: str, *, within: float) -> tuple[int, dict]:
        """As a sender does: again and again with the same key until it is published."""
        deadline = time.monotonic() + within
        while True:
            try:
                status, members = self.send(port, token)
            except (OSError, HTTPException):
                status, members = 0, {}
            if 0 < status < 500 or time.monotonic() > deadline:
                return status, members
            time.sleep(0.05)


def headers(token: str, length: int, key: str) -> dict:
    return {
        "Host": "localhost",
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(length),
        "Idempotency-Key": f'"{key}"',
    }


def head(token: str, length: int, key: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers(token, length, key).items()]
    return "\r\n".join([f"POST {BASE}/ebox/messages HTTP/1.1", *lines, "", ""]).encode()


def a_publication(digest: str | None = None) -> dict:
    """What the agency writes to the bakery."""
    attachment = {"httpPartName": "letter", "isMainContent": True}
    if digest:
        attachment["digest"] = {"digestValue": digest, "digestMethod": "sha_256"}
    return {
        "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
        "recipient": {"eboxType": "enterprise", "enterpriseNumber": BAKERY.digits},
        "subject": {"nl": "Een brief", "fr": "Une lettre"},
        "messageTypeId": "information-letter",
        "senderApplicationId": "sandbox-sender",
        "attachments": [attachment],
    }


def _part(disposition: str, media_type: str, content: str) -> bytes:
    return (
        f"\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n"
        f"Content-Type: {media_type}\r\n\r\n{content}"
    ).encode()


def stream(port: int, opening: bytes, pieces) -> tuple[int, dict]:
    """Send a request piece by piece; status and members of the answer."""
    with socket.create_connection((LOOPBACK, port), timeout=120) as connection:
        connection.sendall(opening)
        for piece in pieces:
            connection.sendall(piece)
        answer = HTTPResponse(connection)
        answer.begin()
        with answer:
            return answer.status, json.loads(answer.read())
