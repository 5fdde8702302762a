"""The stand-in of the Event Service: what it takes, refuses, remembers and shows."""

import json
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from click.testing import CliRunner

from registry.domain.events import Announcement, EventType, Verdict
from registry.domain.identifiers import Ebox, EboxKind
from registry.federation.event_service import EventServiceClient
from registry.http_client.access_token import Identity, OwnToken
from registry.http_client.client import Upstream
from registry.sandbox import tokens
from registry.sandbox.commands.sandbox import sandbox
from registry.sandbox.federation.event_store import EventStore
from registry.sandbox.federation.process import Federation
from registry.sandbox.federation.server import make
from registry.sandbox.layout import Layout
from registry.sandbox.personas import BAKERY, PERSONAS, private_key
from registry.sandbox.servers.processes import free_port
from tests.sandbox.conftest import serving

pytestmark = pytest.mark.long


def event(**changes):
    return {
        "eventType": "newDocument",
        "eventCorrelationId": str(uuid4()),
        "enterpriseId": BAKERY.digits,
        "messageId": str(uuid4()),
        "receiptDate": "2026-11-22T12:30:05+01:00",
        "expirationDate": "2027-07-02T00:30:00+02:00",
        "registeredMail": False,
        **changes,
    }


def without(name):
    return {member: value for member, value in event().items() if member != name}


class Service:
    """The stand-ins in this thread's process, and how tests talk to this one of them."""

    def __init__(self, directory, keys, port):
        self.places = Federation(directory)
        self.places.port = port
        self.controls = f"{self.places.base_url}/sandbox/events"
        self.http = requests.Session()
        self.http.trust_env = False
        token = tokens.fetch(self.places.token_url, PERSONAS["registry"], keys)
        self.bearer = {"Authorization": f"Bearer {token}"}

    def tell(self, *events, **options):
        options = {"json": list(events), "headers": self.bearer, "timeout": 5, **options}
        return self.http.post(self.places.events_url, **options)

    def received(self, **query):
        return self.http.get(self.controls, params=query).json()

    def poison(self, ids):
        return self.http.put(f"{self.controls}/poison", json=ids)

    def fault(self, **faults):
        self.http.put(f"{self.places.base_url}/sandbox/faults", json=faults).raise_for_status()


@pytest.fixture
def directory(enrolled, tmp_path):
    """A directory of one's own, since what is received stays there."""
    return shutil.copytree(enrolled.federation, tmp_path / "federation")


@pytest.fixture
def started(enrolled, directory):
    """Starts the stand-ins; more than once, as often as a test likes."""

    @contextmanager
    def start():
        port = free_port()
        with serving(make(directory, port)):
            service = Service(directory, enrolled.keys, port)
            try:
                yield service
            finally:
                service.http.close()

    return start


@pytest.fixture
def service(started):
    with started() as service:
        yield service


def test_what_is_told_is_kept_in_order_with_number_and_time(service):
    before = datetime.now(UTC)
    first, second, third = event(), event(eventType="readDocument"), event(registeredMail=True)

    answers = [service.tell(first, second), service.tell(third)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json() for answer in answers] == [
        {"accepted": 2, "lastSequenceNbr": 2},
        {"accepted": 1, "lastSequenceNbr": 3},
    ]
    received = service.received()
    assert [item["eventData"] for item in received] == [first, second, third]
    assert [item["eventSequenceNbr"] for item in received] == [1, 2, 3]
    for item in received:
        assert before <= datetime.fromisoformat(item["eventTime"]) <= datetime.now(UTC)
        assert item["eventProviderId"] == PERSONAS["registry"].client_id


GOOD = {
    "all there is": event(
        messageTypeId="summons",
        senderOrganizationId="0308357159",
        senderApplicationId="payroll",
        subject={"nl": "Brief", "fr": "Lettre", "de": "Brief", "en": "Letter"},
    ),
    "no correlation id": without("eventCorrelationId"),
    "members of others": event(isPaper=None, more={"a": [1]}),
    "no subject in any language": event(subject={}),
    "an expiration alert": event(eventType="documentExpirationAlert"),
    "a reminder": event(eventType="newDocumentReminder"),
    "an id in capitals": event(eventCorrelationId=str(uuid4()).upper()),
    "time in Greenwich, in numbers": event(receiptDate="2026-11-22T12:30:05+00:00"),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_good_event_is_taken_as_it_is(service, case):
    answer = service.tell(GOOD[case])

    assert answer.status_code == 201
    assert [item["eventData"] for item in service.received()] == [GOOD[case]]


def test_events_without_a_correlation_id_are_not_recognised(service):
    anonymous = without("eventCorrelationId")

    assert service.tell(anonymous, anonymous).status_code == 201
    assert service.tell(anonymous).status_code == 201
    assert len(service.received()) == 3


WRONG = {
    "eventType": [None, 1, "NewDocument", "deletedDocument", ["newDocument"]],
    "eventCorrelationId": [None, 1, "", "1234", "{d10eff32-573c-5fc2-987b-c2893e7565da}"],
    "enterpriseId": [None, 206731645, "206731645", "02067316450", "0206.731.645", "٠٢٠٦٧٣١٦٤٥"],
    "messageId": [None, 1, ""],
    "receiptDate": [
        None,
        1,
        "",
        "2026-11-22",
        "2026-11-22T12:30:05",
        "2026-11-22T12:30:05Z",
        "2026-11-22T12:30:05.000+01:00",
        "2026-11-22T12:30:05+0100",
        "2026-11-22 12:30:05+01:00",
        "2026-13-22T12:30:05+01:00",
        "2026-11-22T24:30:05+01:00",
        "2026-11-22T12:30:05+01:00\n",
    ],
    "expirationDate": [None, "2026-11-22T12:30:05.1+01:00", "2026-11-22T11:30:05z"],
    "registeredMail": [None, 0, "false"],
    "messageTypeId": [None, 1],
    "senderOrganizationId": [308357159],
    "senderApplicationId": [None, {}],
    "subject": [None, "Brief", ["Brief"], {"nl": None}, {"nl": 1}],
}
MISSING = (
    "eventType",
    "enterpriseId",
    "messageId",
    "receiptDate",
    "expirationDate",
    "registeredMail",
)
FAULTY = [(name, event(**{name: value})) for name, values in WRONG.items() for value in values]
FAULTY += [(name, without(name)) for name in MISSING]


def test_a_batch_with_a_faulty_event_is_refused_whole_and_says_where(service):
    for name, faulty in FAULTY:
        answer = service.tell(event(), faulty, event())

        assert answer.status_code == 400, faulty
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"].startswith(f"[1].{name} is "), answer.json()
    assert service.received(count="true") == {"count": 0}


@pytest.mark.parametrize("body", [b"", b"[", b"null", b"{}", b'"a"', b"[1]", b"[[]]", b"[null]"])
def test_what_is_no_array_of_events_is_refused(service, body):
    answer = service.tell(json=None, data=body)

    assert answer.status_code == 400
    assert service.received() == []


def test_a_batch_has_a_limit(service):
    assert service.tell(*[event() for _ in range(1001)]).status_code == 413
    assert service.received(count="true") == {"count": 0}
    assert service.tell(*[event() for _ in range(1000)]).status_code == 201
    assert service.received(count="true") == {"count": 1000}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer mallory"}], ids=str)
def test_a_token_is_needed(service, headers):
    assert service.tell(event(), headers=headers).status_code == 401
    assert service.received() == []


def test_an_event_that_was_told_before_refuses_its_batch(service):
    known = event()
    again = {**event(), "eventCorrelationId": known["eventCorrelationId"].upper()}
    service.tell(known)

    answer = service.tell(event(), again)

    assert answer.status_code == 409
    assert [item["eventData"] for item in service.received()] == [known]


def test_an_event_that_is_twice_in_a_batch_refuses_it(service):
    twice = event()

    assert service.tell(twice, event(), twice).status_code == 409
    assert service.received() == []


def test_a_restart_forgets_nothing(started):
    events = [event() for _ in range(3)]
    with started() as service:
        service.tell(*events[:2])
        before = service.received()

    with started() as service:
        assert service.received() == before
        assert service.tell(events[0]).status_code == 409
        assert service.tell(events[2]).status_code == 201
        assert [item["eventSequenceNbr"] for item in service.received()] == [1, 2, 3]


def test_a_line_that_a_killed_process_left_unfinished_is_cut_off(started, directory):
    path = directory / "events.jsonl"
    with started() as service:
        service.tell(event())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])

    with started() as service:
        service.tell(event())

    lines = path.read_text().splitlines()
    assert [json.loads(line)["eventSequenceNbr"] for line in lines] == [1, 2]


def test_a_caller_may_ask_for_what_is_new_only(service):
    events = [event() for _ in range(5)]
    service.tell(*events)

    assert [item["eventData"] for item in service.received(after=3)] == events[3:]
    assert service.received(after=5) == service.received(after=99) == []
    assert len(service.received(after=-1)) == 5


def test_what_was_received_can_be_forgotten(started):
    old, new = event(), event()
    with started() as service:
        service.tell(old)

        assert service.http.delete(service.controls).status_code == 204
        assert service.received() == []
        assert service.tell(old, new).status_code == 201
        assert [item["eventData"] for item in service.received(after=1)] == [old, new]
        assert len(service.received(after=2)) == 1

    with started() as service:
        assert len(service.received()) == 2


def test_a_poisoned_message_spoils_its_batch_and_nobody_says_which(service):
    bad, good = event(), event()
    assert service.poison([bad["messageId"]]).json() == [bad["messageId"]]

    refused, taken = service.tell(good, bad), service.tell(good)

    assert (refused.status_code, taken.status_code) == (400, 201)
    assert refused.json() == {
        "title": "Bad Request",
        "status": 400,
        "detail": "An event was refused",
    }
    assert service.http.get(f"{service.controls}/poison").json() == [bad["messageId"]]
    assert service.poison([]).json() == []
    assert service.tell(bad).status_code == 201


@pytest.mark.parametrize("ids", [{}, None, "a", [1]], ids=str)
def test_poison_is_a_list_of_ids(service, ids):
    assert service.poison(ids).status_code == 400


def test_a_lost_answer_hides_that_the_events_were_taken(service):
    told = event()
    service.fault(events="lost")

    with pytest.raises(requests.ConnectionError):
        service.tell(told)

    service.fault()
    assert [item["eventData"] for item in service.received()] == [told]
    assert service.tell(told).status_code == 409


@pytest.mark.parametrize(
    ("kind", "status"), [("error", 500), ("html", 200), ("conflict", 409), ("busy", 429)]
)
def test_a_bad_day_takes_nothing(service, kind, status):
    service.fault(events=kind)

    assert service.tell(event()).status_code == status
    assert service.received() == []


def test_every_answer_may_be_a_little_late(service):
    service.fault(events="slow", seconds=0.05)
    began = time.monotonic()

    answers = [service.tell(event()).status_code for _ in range(3)]

    assert answers == [201] * 3
    assert 0.15 <= time.monotonic() - began < 2


def test_many_events_do_not_slow_down_the_next(tmp_path):
    received = EventStore(tmp_path / "events.jsonl")
    for _ in range(240):
        received.take([event() for _ in range(500)], "us")
    batch = [event() for _ in range(500)]
    began = time.process_time()

    assert received.take(batch, "us") == 120_500

    assert time.process_time() - began < 0.05
    assert len(received) == 120_500
    assert len(json.loads(received.after(120_499))) == 1


# The registry's own client


@pytest.fixture
def client(service, enrolled):
    """The registry's client of this event service, as the registry itself."""
    us = PERSONAS["registry"]
    key = private_key(enrolled.key("registry"), us.algorithm)
    identity = Identity(us.client_id, key, us.algorithm)
    own = OwnToken(identity, service.places.token_url, lambda: datetime.now(UTC))
    upstream = Upstream("event service", timeout=0.5)
    client = EventServiceClient(service.places.events_url, own, upstream, lambda: datetime.now(UTC))
    yield client
    service.fault()  # releases whoever still waits
    client.close()


def announcement(kind=EventType.NEW_DOCUMENT, **more):
    return Announcement(
        type=kind,
        correlation_id=uuid4(),
        ebox=Ebox(EboxKind.ENTERPRISE, BAKERY.digits),
        message_id=uuid4(),
        received_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(days=200),
        is_registered=True,
        message_type_id="summons",
        sender="0308357159",
        **more,
    )


def test_all_that_the_registry_tells_is_taken(service, client):
    told = [announcement(kind) for kind in EventType]
    told.append(announcement(sender_application_id="payroll", subject={"fr": "Été"}))

    response = client.tell(told)

    assert response.verdict is Verdict.SUCCESS
    taken = [item["eventData"]["messageId"] for item in service.received()]
    assert taken == [str(one.message_id) for one in told]


def test_what_the_registry_tells_again_is_known(service, client):
    told = announcement()
    client.tell([told])

    assert client.tell([announcement(), told]).verdict is Verdict.DUPLICATE
    assert service.received(count="true") == {"count": 1}


def test_the_registry_hears_that_an_event_is_refused(service, client):
    bad = announcement()
    service.poison([str(bad.message_id)])

    response = client.tell([announcement(), bad])

    assert response.verdict is Verdict.REFUSAL
    assert response.reason == "status 400: An event was refused"


BAD_DAYS = {
    "slow": (Verdict.OUTAGE, "no answer", None),
    "dribble": (Verdict.OUTAGE, "no answer", None),
    "reset": (Verdict.OUTAGE, "no answer", None),
    "lost": (Verdict.OUTAGE, "no answer", None),
    "error": (Verdict.OUTAGE, "status 500", None),
    "html": (Verdict.OUTAGE, "a page for people", None),
    "garbage": (Verdict.OUTAGE, "not the JSON it claims to be", None),
    "busy": (Verdict.OUTAGE, "status 429", 1),
    "conflict": (Verdict.DUPLICATE, "", None),
}


@pytest.mark.parametrize("kind", BAD_DAYS)
def test_the_registry_makes_this_of_a_bad_day(service, client, kind):
    service.fault(events=kind)

    response = client.tell([announcement()])

    assert (response.verdict, response.reason, response.wait) == BAD_DAYS[kind]


@pytest.mark.parametrize("kind", [kind for kind in BAD_DAYS if kind != "conflict"])
def test_what_is_told_again_after_a_bad_day_arrives_once(service, client, kind):
    told = announcement()
    service.fault(events=kind)
    assert client.tell([told]).verdict is Verdict.OUTAGE

    service.fault()
    response = client.tell([told])

    assert response.verdict in (Verdict.SUCCESS, Verdict.DUPLICATE)
    assert [item["eventData"]["messageId"] for item in service.received()] == [str(told.message_id)]


# The command


@pytest.fixture
def command(service, tmp_path):
    """Runs `registry sandbox events` where a sandbox seems to be running."""
    layout = Layout.at(tmp_path / "sandbox")
    layout.write({"tokenUrl": service.places.token_url}, ready=True)

    def run(*arguments):
        words = ["events", "--dir", str(layout.directory), *arguments]
        return CliRunner().invoke(sandbox, words, env={"COLUMNS": None})

    return run


def test_the_command_shows_a_table(service, command):
    told = event(registeredMail=True)
    service.tell(told)

    result = command()

    assert result.exit_code == 0, result.output
    shown = service.received()[0]["eventTime"]
    for text in (shown, "newDocument", BAKERY.digits, told["messageId"], "yes"):
        assert text in result.output


def test_the_command_shows_everything_as_json(service, command):
    service.tell(event(subject={"fr": "Été"}), event())

    result = command("--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == service.received()


def test_the_command_needs_a_sandbox(tmp_path):
    result = CliRunner().invoke(sandbox, ["events", "--dir", str(tmp_path)])

    assert result.exit_code == 1
    assert "No sandbox is running in" in result.output


def test_the_command_says_when_the_stand_in_is_gone(tmp_path):
    layout = Layout.at(tmp_path)
    layout.write({"tokenUrl": f"http://127.0.0.1:{free_port()}/token"}, ready=True)

    result = CliRunner().invoke(sandbox, ["events", "--dir", str(tmp_path)])

    assert result.exit_code == 1
    assert "The stand-in did not answer" in result.output
