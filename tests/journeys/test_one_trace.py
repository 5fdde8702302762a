"""One trace id follows a publication from nginx to the event that the federation gets."""

import json
import time
from http.client import HTTPConnection

import pytest
from sqlalchemy import create_engine, text

from registry.domain.traces import read_trace_id
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.lanes import run_lanes
from tests.nginx import needs_nginx
from tests.service import BASE, PublicationRequest, Service, headers
from tests.trail_entries import read_trail

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PATIENCE = 60  # seconds
OTHER = "0999910147"

pytestmark = [pytest.mark.journey, needs_nginx]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("trace")) as service:
        service.start_worker()
        yield service


@pytest.fixture(scope="module")
def front(service):
    """The port of nginx, without TLS."""
    port = free_port()
    with run_lanes(service, workers=1, plain_port=port):
        yield port


@pytest.fixture(scope="module")
def rows(service):
    """Ask the database as one who sees every e-Box."""
    engine = create_engine(service.cluster.url(SUPERUSER))

    def ask(statement, **values):
        with engine.connect() as connection:
            return connection.execute(text(statement), values).all()

    yield ask
    engine.dispose()


@pytest.fixture(scope="module")
def entries(service):
    """The entries that name something: `entries(name)`."""
    engine = create_engine(service.cluster.url(SUPERUSER))

    def ask(name):
        with engine.connect() as connection:
            return read_trail(connection, name)

    yield ask
    engine.dispose()


def publish(front, service, **more):
    """Publish a letter through nginx; gives the message's id."""
    publication, token = PublicationRequest(b"%PDF-1.7 a letter"), service.token()
    ours = headers(token, len(publication.body), publication.key)
    answer = ask(front, "POST", "/ebox/messages", publication.body, {**ours, **more})
    assert answer[0] == 201
    return answer[1]["messageId"]


def ask(front, method, path, body, named):
    connection = HTTPConnection(LOOPBACK, front, timeout=60)
    try:
        connection.request(method, BASE + path, body, named)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def lines(path, **members):
    """The lines of a log that have these members."""
    found_lines = []
    for line in path.read_text().splitlines():
        if line.startswith("{"):
            told = json.loads(line)
            if all(told.get(name) == value for name, value in members.items()):
                found_lines.append(told)
    return found_lines


def await_line(path, **members):
    deadline = time.monotonic() + PATIENCE
    while not (told := lines(path, **members)):
        assert time.monotonic() < deadline, (path.read_text()[-3000:], members)
        time.sleep(0.1)
    return told[0]


def find_event(service, message_id):
    """The event of a message at the federation's stand-in."""
    events = service.control("GET", "/sandbox/events?after=0")
    (event,) = [each for each in events if each["eventData"]["messageId"] == message_id]
    return event


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (None, None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
    ],
)
def test_one_trace_leads_from_nginx_to_the_event(service, front, rows, entries, traceparent, trace):
    message_id = publish(front, service, **({"traceparent": traceparent} if traceparent else {}))

    web = await_line(service.area / "publishing.log", message_id=message_id)
    if trace:
        assert web["trace"] == trace
    assert len(web["trace"]) == 32
    nginx = await_line(service.area / "nginx" / "log", trace=web["trace"], method="POST")
    assert nginx["trace_id"] == web["trace_id"]
    (entry,) = entries(web["trace"])
    assert message_id in entry.entry
    worker = await_line(service.area / "worker-1.log", event="told", message_id=message_id)
    assert worker["trace"] == web["trace"]
    (outbox,) = rows("SELECT trace FROM outbox WHERE message_id = :id", id=message_id)
    assert outbox.trace == web["trace"]
    assert read_trace_id(find_event(service, message_id)["traceparent"]) == web["trace"]


def test_what_a_broadcast_tells_has_its_trace_too(service, front, rows):
    message_id = publish(front, service)
    named = {
        "Authorization": f"Bearer {service.token()}",
        "Content-Type": "application/json",
        "traceparent": f"00-{TRACE[::-1]}-00f067aa0ba902b7-01",
    }
    recipients = {"recipients": [{"eboxType": "enterprise", "enterpriseNumber": OTHER}]}
    path = f"/ebox/messages/{message_id}/recipients"

    status, answer = ask(front, "POST", path, json.dumps(recipients), named)

    assert status == 201, answer
    told = await_line(service.area / "worker-1.log", event="told", trace=TRACE[::-1])
    assert (told["message_id"], told["events"]) == (message_id, 1)
    (row,) = rows("SELECT trace FROM broadcasts WHERE message_id = :id", id=message_id)
    assert row.trace == TRACE[::-1]
