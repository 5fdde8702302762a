"""`registry rescan`: what clamd finds later."""

import json
import socketserver
import struct
from datetime import UTC, datetime, timedelta
from threading import Lock, Thread
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.domain.identifiers import EboxKind
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.factories import a_file, an_ebox
from tests.trail_entries import read_trail

VIRUS = b"%PDF-1.4 a virus that was not known "
HUGE = b"%PDF-1.4 larger than clamd looks at "


class Scanner(socketserver.ThreadingTCPServer):
    """A clamd that knows one virus, and remembers what it was shown."""

    daemon_threads = True

    def __init__(self):
        super().__init__((LOOPBACK, 0), _Scan)
        self.shown, self.lock = [], Lock()

    def handle_error(self, *_):
        pass


class _Scan(socketserver.StreamRequestHandler):
    def handle(self):
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack(">I", self.rfile.read(4))[0]:
            content += self.rfile.read(length)
        with self.server.lock:
            self.server.shown.append(content)
        verdict = b"Eicar FOUND" if content.startswith(VIRUS) else b"OK"
        if content.startswith(HUGE):
            verdict = b"INSTREAM size limit exceeded. ERROR"
        self.wfile.write(b"stream: " + verdict + b"\0")


@pytest.fixture
def scanner():
    with Scanner() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def rescan(run, environment, scanner):
    """Type `registry rescan …`."""
    address = {"REGISTRY_CLAMD_ADDRESS": f"{LOOPBACK}:{scanner.server_address[1]}"}

    def typed(*command, env=None):
        return run("rescan", *map(str, command), env=environment | address | (env or {}))

    return typed


@pytest.fixture
def published(deliver):
    """Put a document into an e-Box at a time of its own, which is given with its id."""

    def put(beginning, *eboxes, received_at):
        content = beginning + uuid4().hex.encode()
        file = a_file(content)
        message_id = uuid4()
        for ebox in eboxes or [an_ebox()]:
            deliver(ebox, file, content=content, message_id=message_id, received_at=received_at)
        return message_id, content

    return put


def since():
    """From now on: what was published by other tests was before."""
    return (datetime.now(UTC) - timedelta(milliseconds=1)).isoformat(timespec="seconds")


def verdicts(done, *ids):
    """The verdict on the documents of these messages, as a program is told."""
    rows = [json.loads(line) for line in done.out.splitlines()]
    wanted = {str(each) for each in ids}
    return {
        row["messageId"]: (row["verdict"], row["isWithdrawn"])
        for row in rows
        if row.get("messageId") in wanted
    }


@pytest.fixture
def is_withdrawn(owner):
    def look(message_id):
        with owner.connect() as connection:
            return set(
                connection.scalars(
                    text("SELECT withdrawn_at IS NOT NULL FROM messages WHERE message_id = :id"),
                    {"id": message_id},
                )
            )

    return look


def test_malware_is_told_and_nothing_is_changed(rescan, published, is_withdrawn):
    begin, now = since(), datetime.now(UTC)
    bad, _ = published(VIRUS, received_at=now)
    good, _ = published(b"%PDF-1.4 fine ", received_at=now)

    done = rescan("--since", begin, "--json")

    assert done.code == 1
    assert verdicts(done, bad, good) == {str(bad): ("infected", False)}
    assert is_withdrawn(bad) == {False}


def test_with_quarantine_it_is_withdrawn_from_all_who_have_it(
    rescan, published, is_withdrawn, scanner, owner
):
    begin, now = since(), datetime.now(UTC)
    bad, content = published(VIRUS, an_ebox(), an_ebox(EboxKind.CITIZEN), received_at=now)

    done = rescan("--since", begin, "--quarantine", "--json")
    again = rescan("--since", begin, "--json")

    assert verdicts(done, bad) == {str(bad): ("infected", True)}
    assert is_withdrawn(bad) == {True}
    assert scanner.shown.count(content) == 1  # of both e-Boxes, and not again
    assert verdicts(again, bad) == {}
    with owner.connect() as connection:
        entries = read_trail(connection, str(bad))
    assert sum("rescan/finding" in entry.entry for entry in entries) == 1
    assert sum("message/withdraw" in entry.entry for entry in entries) == 2


def test_what_is_not_looked_at_and_what_is_gone_is_told(rescan, published, blobs, owner):
    begin, now = since(), datetime.now(UTC)
    huge, _ = published(HUGE, received_at=now)
    gone, _ = published(b"%PDF-1.4 gone ", received_at=now)
    with owner.connect() as connection:
        key = connection.scalar(
            text("SELECT blob_key FROM attachments WHERE message_id = :id"), {"id": gone}
        )
    blobs.client.delete_object(Bucket=blobs.bucket, Key=key)

    done = rescan("--since", begin, "--json")

    assert done.code == 1
    assert verdicts(done, huge, gone) == {
        str(huge): ("unscanned", False),
        str(gone): ("unreadable", False),
    }


def test_what_came_before_is_left_out(rescan, published, scanner):
    _, old = published(VIRUS, received_at=datetime.now(UTC) - timedelta(days=40))

    rescan("--since", since())

    assert old not in scanner.shown


def test_a_scanner_that_is_away_is_waited_for_and_the_call_goes_on(
    rescan, published, scanner, tmp_path
):
    begin, now = since(), datetime.now(UTC)
    _, content = published(b"%PDF-1.4 fine ", received_at=now)
    state = tmp_path / "state.json"
    away = {"REGISTRY_CLAMD_ADDRESS": f"{LOOPBACK}:{free_port()}"}
    state.write_text(
        json.dumps(
            {
                "form": "rescan 1",
                "since": begin,
                "begin": begin,
                "after": "",
                "counts": {"clean": 7},
            }
        )
    )

    broken = rescan("--since", begin, "--state", state, env=away)
    resumed = rescan("--since", begin, "--state", state, "--json")

    assert broken.code == 3
    assert "the same call goes on from here" in broken.err
    assert content in scanner.shown
    assert json.loads(resumed.out.splitlines()[-1])["clean"] > 7
    assert not state.exists()


def test_the_state_of_something_else_is_refused(rescan, tmp_path):
    state = tmp_path / "state.json"
    state.write_text("{}")

    assert rescan("--since", "2026-01-01", "--state", state).code == 2


@pytest.mark.parametrize(
    "words", [(), ("--since", "yesterday"), ("--since", "2126-01-01"), ("--at-once", "9")]
)
def test_what_is_typed_wrongly_is_refused(rescan, words):
    assert rescan(*words).code == 2
