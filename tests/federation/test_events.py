"""Events on their way to the federation: every answer is a verdict, and nothing is raised."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest

from registry.domain.events import Announcement, EventServiceResponse, EventType, Verdict
from registry.domain.identifiers import Ebox, EboxKind
from registry.federation.event_service import EventServiceClient
from registry.federation.unconfigured import NoEventService
from registry.http_client.client import Upstream

EVENTS = "/EventServices/Ebox/v2/enterprise/document/events"
THEM = Ebox(EboxKind.ENTERPRISE, "0206731645")
ANNA = Ebox(EboxKind.CITIZEN, "85073003328")
MESSAGE = UUID("3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10")
CORRELATION = UUID("d10eff32-573c-5fc2-987b-c2893e7565da")
SAID = "own-token-1 85073003328 secret-subject 0206731645"


def announcement(**changes):
    facts = {
        "type": EventType.NEW_DOCUMENT,
        "correlation_id": CORRELATION,
        "ebox": THEM,
        "message_id": MESSAGE,
        "received_at": datetime(2026, 11, 22, 11, 30, 5, 999_999, tzinfo=UTC),
        "expires_at": datetime(2027, 7, 1, 22, 30, tzinfo=UTC),
        "is_registered": False,
        "message_type_id": "summons",
        "sender": "0308357159",
    }
    return Announcement(**facts | changes)


@pytest.fixture
def service(federation, clock, own):
    """Builds the client of the Event Service, and closes it."""
    built = []

    def build(*, timeout=5, url=None, bearer=True, **more):
        upstream = Upstream("event service", timeout=timeout, **more)
        token = own(timeout=timeout) if bearer else None
        built.append(EventServiceClient(url or federation.url + EVENTS, token, upstream, clock))
        return built[-1]

    yield build
    for one in built:
        one.close()


@pytest.fixture
def tell(federation, service):
    """What is made of one event when the service says this."""

    def ask(body=b"", status=200, **headers):
        federation.on[EVENTS] = federation.says(body, status, **headers)
        return service().tell([announcement()])

    return ask


# What is sent


def test_a_batch_is_one_array_of_events_in_their_order(federation, service):
    federation.on[EVENTS] = federation.says(b"", 201)
    reading = announcement(
        type=EventType.READ_DOCUMENT,
        is_registered=True,
        sender_application_id="payroll",
        subject={"nl": "Brief", "fr": "Lettre"},
    )

    service().tell([announcement(), reading])

    asked = federation.requests[-1]
    assert asked.command == "POST"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == "Bearer own-token-1"
    first, second = json.loads(asked.body)
    assert first == {
        "eventType": "newDocument",
        "eventCorrelationId": "d10eff32-573c-5fc2-987b-c2893e7565da",
        "enterpriseId": "0206731645",
        "messageId": "3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10",
        "receiptDate": "2026-11-22T12:30:05+01:00",
        "expirationDate": "2027-07-02T00:30:00+02:00",
        "registeredMail": False,
        "messageTypeId": "summons",
        "senderOrganizationId": "0308357159",
    }
    assert second == first | {
        "eventType": "readDocument",
        "registeredMail": True,
        "senderApplicationId": "payroll",
        "subject": {"nl": "Brief", "fr": "Lettre"},
    }


@pytest.mark.parametrize(
    ("instant", "told"),
    [
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "2026-03-29T01:59:59+01:00"),
        (datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC), "2026-03-29T03:00:00+02:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T02:30:00+02:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T02:30:00+01:00"),
    ],
)
def test_instants_are_told_in_belgian_time_without_a_fraction(federation, service, instant, told):
    federation.on[EVENTS] = federation.says(b"", 201)

    service().tell([announcement(received_at=instant)])

    assert json.loads(federation.requests[-1].body)[0]["receiptDate"] == told


def test_an_event_of_a_citizen_is_never_sent(federation, service):
    with pytest.raises(ValueError, match="citizen") as error:
        service().tell([announcement(), announcement(ebox=ANNA)])

    assert ANNA.number not in str(error.value)
    assert not federation.calls


# What the service makes of it


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, []), (200, None), (201, b""), (201, {"events": 1}), (202, b"ok"), (204, b"")],
    ids=str,
)
def test_a_success_is_accepted(tell, status, body):
    assert tell(body, status) == EventServiceResponse(Verdict.SUCCESS)


@pytest.mark.parametrize("media_type", ["text/html", "application/json"])
def test_a_success_without_a_body_may_claim_to_be_anything(tell, media_type):
    assert tell(b"", 201, **{"Content-Type": media_type}) == EventServiceResponse(Verdict.SUCCESS)


def test_a_success_may_have_a_long_body(tell):
    echo = json.dumps([{"eventType": "newDocument"}] * 10_000).encode()

    assert tell(echo, 201, **{"Content-Type": "application/json"}) == EventServiceResponse(
        Verdict.SUCCESS
    )


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<p>Back soon.</p>", "text/html"),
        (b"<p>Back soon.</p>", "Text/HTML; charset=utf-8"),
        (b"<p/>", "application/xhtml+xml"),
        (b" \n<!DOCTYPE html><title>Back soon</title>", "text/plain"),
        (b"<html lang=nl>", "application/json"),
    ],
)
def test_a_page_for_people_is_no_success(tell, body, media_type):
    answer = tell(body, 200, **{"Content-Type": media_type, "Retry-After": "60"})

    assert answer == EventServiceResponse(Verdict.OUTAGE, "a page for people", 60)


@pytest.mark.parametrize("media_type", ["application/json", "application/problem+json"])
def test_what_claims_to_be_json_and_is_not_is_no_success(tell, media_type):
    answer = tell(b'{"active": tru\x00', 200, **{"Content-Type": media_type})

    assert answer == EventServiceResponse(Verdict.OUTAGE, "not the JSON it claims to be")


def test_a_conflict_means_that_it_was_told_before(tell):
    assert tell({"title": "Conflict"}, 409) == EventServiceResponse(Verdict.DUPLICATE)


@pytest.mark.parametrize("status", [400, 402, 406, 413, 414, 418, 422, 431, 451])
def test_a_fault_of_the_events_is_a_refusal(tell, status):
    assert tell(b"", status) == EventServiceResponse(Verdict.REFUSAL, f"status {status}")


REASONS = {
    "detail first": ({"title": "Bad", "detail": "[3] is no object"}, ": [3] is no object"),
    "then the message": ({"error": "e", "title": "t", "message": "m"}, ": m"),
    "then the title": ({"error": "e", "title": "t", "detail": None, "message": ["m"]}, ": t"),
    "then the error": ({"error": "e", "title": ""}, ": e"),
    "an object for an error": ({"error": {"message": "m"}}, ""),
    "a list": (["detail"], ""),
    "a word": ("detail", ""),
    "nothing": (b"", ""),
    "HTML": (b"<html>", ""),
    "half": (b'{"detail": "a', ""),
    "blanks": ({"detail": " \t\n"}, ""),
    "much": ({"detail": "x" * 300}, ": " + "x" * 200),
    "too much": (b'{"detail": "a"' + b" " * 200_000 + b"}", ""),
    "lines": ({"detail": "a\r\nb\x00\x1b[31m\x85\u202ec"}, ": ab[31mc"),
    "an SSIN": ({"detail": "Not 85073003328, nor 85.07.30-033.28."}, ": Not ***, nor ***."),
    "an SSIN at the end": ({"detail": "x" * 190 + "85073003328"}, ": " + "x" * 190 + "***"),
    "an SSIN on two lines": ({"detail": "850730\n03328"}, ": ***"),
    "an enterprise": ({"detail": "0206731645 of " + str(MESSAGE)}, f": 0206731645 of {MESSAGE}"),
}


@pytest.mark.parametrize("case", REASONS)
def test_a_refusal_says_why_in_words_that_may_be_shown(tell, case):
    body, words = REASONS[case]

    assert tell(body, 400) == EventServiceResponse(Verdict.REFUSAL, f"status 400{words}")


@pytest.mark.parametrize(
    "status", [404, 405, 407, 408, 410, 415, 421, 425, 429, 500, 502, 503, 504, 599]
)
def test_an_ill_service_knows_nothing_of_the_events(tell, status):
    assert tell({"detail": SAID}, status) == EventServiceResponse(
        Verdict.OUTAGE, f"status {status}"
    )


@pytest.mark.parametrize("status", [203, 205, 206, 300, 304])
def test_a_status_that_makes_no_sense_says_nothing(tell, status):
    assert tell(b"", status) == EventServiceResponse(Verdict.OUTAGE, f"status {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(federation, tell, status):
    answer = tell(b"", status, Location="/elsewhere")

    assert answer == EventServiceResponse(Verdict.OUTAGE, "an answer that cannot be right")
    assert federation.calls["/elsewhere"] == 0


# How long it asks us to wait


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        (" 120 ", 120),
        ("3601", 3600),
        ("9" * 5000, 3600),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("120, 120", None),
        ("\u00b2", None),
        ("soon", None),
        ("", None),
        ("Sun, 22 Nov 2026 12:01:30 GMT", 90),
        ("Sunday, 22-Nov-26 12:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 12:01:30 -0000", 90),
        ("Sun, 22 Nov 2026 13:01:30 +0100", 90),
        ("Sun, 22 Nov 2026 14:00:00 GMT", 3600),
        ("Sun, 22 Nov 2026 11:59:59 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 3600),
        ("Sun, 22 Nov 2026 99:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:00 +9999999999999", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(tell, asked, seconds):
    answer = tell(b"", 503, **{"Retry-After": asked})

    assert answer == EventServiceResponse(Verdict.OUTAGE, "status 503", seconds)


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_whoever_is_away_may_say_until_when(tell, clock, status):
    until = format_datetime(clock() + timedelta(minutes=2), usegmt=True)

    assert tell(b"", status, **{"Retry-After": until}).wait == 120


# Our credentials


def test_a_refused_token_is_renewed_and_the_events_told_again(federation, service):
    accepts = federation.says(b"", 201)
    refuses = federation.says(b"", 401)
    federation.on[EVENTS] = lambda request: (
        accepts if request.headers["Authorization"] == "Bearer own-token-2" else refuses
    )(request)
    told = service()

    assert told.tell([announcement()]).verdict is Verdict.SUCCESS
    assert told.tell([announcement()]).verdict is Verdict.SUCCESS
    assert federation.calls == {"/token": 2, EVENTS: 3}
    assert len({request.body for request in federation.requests if request.path == EVENTS}) == 1


@pytest.mark.parametrize(("status", "calls"), [(401, 2), (403, 1)])
def test_credentials_that_stay_refused_are_no_fault_of_the_events(federation, tell, status, calls):
    answer = tell({"detail": SAID}, status)

    assert answer == EventServiceResponse(
        Verdict.OUTAGE, f"our credentials are refused with status {status}"
    )
    assert federation.calls[EVENTS] == calls


@pytest.mark.parametrize("status", [400, 401, 500])
def test_without_a_token_nothing_is_told(federation, service, status):
    federation.on["/token"] = federation.says({"error": "invalid_client"}, status)

    answer = service().tell([announcement()])

    assert answer == EventServiceResponse(Verdict.OUTAGE, "no access token for ourselves")
    assert federation.calls[EVENTS] == 0


def test_a_service_that_wants_no_token_gets_none(federation, service):
    federation.on[EVENTS] = federation.says(b"", 401)

    answer = service(bearer=False).tell([announcement()])

    assert answer == EventServiceResponse(
        Verdict.OUTAGE, "our credentials are refused with status 401"
    )
    assert "Authorization" not in federation.requests[-1].headers
    assert federation.calls == {EVENTS: 1}


# When nobody answers

OUTAGES = [
    "is_silent",
    "resets",
    "hangs_up",
    "dribbles_headers",
    "dribbles_one_line",
    "dribbles_body",
    "dribbles_chunks",
    "dribbles_endlessly",
    "stops_halfway",
]


@pytest.mark.long
@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("path", ["/token", EVENTS])
def test_an_outage_is_a_verdict_and_keeps_nobody_waiting(federation, service, path, outage):
    federation.on[EVENTS] = federation.says(b"", 201)
    federation.on[path] = getattr(federation, outage)
    began = time.monotonic()

    answer = service(timeout=0.5).tell([announcement()])

    assert answer.verdict is Verdict.OUTAGE
    assert time.monotonic() - began < 2.5


def test_a_slow_token_and_a_slow_service_share_one_allowance(federation, service):
    federation.on["/token"] = federation.slowly(0.4, federation.issues)
    federation.on[EVENTS] = federation.slowly(0.4, federation.says(b"", 401))
    began = time.monotonic()

    answer = service(timeout=0.5).tell([announcement()])

    assert answer == EventServiceResponse(Verdict.OUTAGE, "no answer")
    assert time.monotonic() - began < 1.2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://nowhere.invalid/x", "http://[::1/x", "http:///x"]
)
def test_nobody_listening_is_a_verdict(service, url):
    answer = service(url=url, timeout=1).tell([announcement()])

    assert answer.verdict is Verdict.OUTAGE


RUBBISH = {
    "no status line": b"220 mail.example ESMTP\r\n\r\n",
    "two lengths": b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "wrong chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "wrong gzip": b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
    "many headers": b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "a long header": b"HTTP/1.1 201 Created\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("case", RUBBISH)
def test_rubbish_is_a_verdict(federation, service, case):
    def write(request):
        request.wfile.write(RUBBISH[case])
        request.close_connection = True

    federation.on[EVENTS] = write

    assert service(timeout=1).tell([announcement()]).verdict is Verdict.OUTAGE


def test_a_kept_connection_that_was_closed_is_replaced_once(federation, service):
    federation.on[EVENTS] = federation.says(b"", 201)
    told = service()
    told.tell([announcement()])

    federation.on[EVENTS] = federation.hangs_up
    answer = told.tell([announcement()])

    assert answer == EventServiceResponse(Verdict.OUTAGE, "no answer")
    assert federation.calls[EVENTS] == 3


def test_a_service_that_is_well_again_is_asked_again(federation, service):
    federation.on[EVENTS] = federation.resets
    told = service()
    for _ in range(10):
        told.tell([announcement()])

    federation.on[EVENTS] = federation.says(b"", 201)

    assert told.tell([announcement()]).verdict is Verdict.SUCCESS


# What is written down


@pytest.mark.parametrize(
    "answer",
    [
        (SAID.encode(), 200, "text/html"),
        ({"detail": SAID}, 400, "application/json"),
        ({"detail": SAID}, 401, "application/json"),
        ({"detail": SAID}, 409, "application/json"),
        ({"detail": SAID}, 503, SAID),
        (b"", 201, "text/plain"),
    ],
    ids=str,
)
def test_nothing_personal_or_secret_is_logged(federation, service, caplog, answer):
    caplog.set_level("DEBUG")
    body, status, media_type = answer
    headers = {"Content-Type": media_type, "Retry-After": SAID, "X-Echo": SAID}
    federation.on[EVENTS] = federation.says(body, status, **headers)
    told = service()

    told.tell([announcement(subject={"nl": "secret-subject"})])

    written = caplog.text + repr([vars(record) for record in caplog.records]) + repr(told)
    for secret in ("own-token", "85073003328", "secret-subject", "0206731645", "eyJ"):
        assert secret not in written


def test_the_log_says_why_the_service_is_away(tell, caplog):
    tell(b"", 503)

    assert "event service: status 503" in caplog.text


def test_without_an_event_service_events_wait():
    service = NoEventService()

    answer = service.tell([announcement()])

    assert answer == EventServiceResponse(Verdict.OUTAGE, "No event service is configured.")
    service.close()
