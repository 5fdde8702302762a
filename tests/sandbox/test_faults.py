import threading
import time

import pytest
import requests

from registry.sandbox.federation.addresses import EVENTS, FEDERATION, PARTITION
from registry.sandbox.personas import BAKERY
from registry.sandbox.tokens import TokenRefused

SERVICES = (
    "token",
    "introspect",
    "revoke",
    "partitions",
    "rules",
    "mandates",
    "preferences",
    "consents",
    "events",
)


@pytest.fixture
def ask(federation, http, bearer):
    """Introspects some token with headers that were got in good days."""
    headers = bearer("registry")
    return lambda **options: http.post(
        federation.introspect_url, data={"token": "x"}, headers=headers, **options
    )


@pytest.fixture
def fault(federation):
    def put(**faults):
        answer = requests.put(f"{federation.base_url}/sandbox/faults", json=faults, timeout=5)
        return answer.status_code

    yield put
    put()  # releases whoever still waits


def test_calls_are_counted(federation, http, ask):
    url = f"{federation.base_url}/sandbox/calls"
    http.delete(url)

    ask()
    ask()

    counted = http.get(url).json()
    assert counted == {**dict.fromkeys(SERVICES, 0), "introspect": 2}


@pytest.mark.parametrize(
    ("service", "method", "path"),
    [
        ("partitions", "GET", f"{PARTITION}/ebox/{BAKERY}/partitions"),
        ("partitions", "GET", f"{PARTITION}/ebox/{BAKERY}/users/1/partitions"),
        ("rules", "GET", f"{PARTITION}/ebox/{BAKERY}/routingRules"),
        ("mandates", "GET", f"{PARTITION}/ebox/{BAKERY}/hasMandate?operation=publish"),
        ("preferences", "POST", f"{FEDERATION}/eboxPreferences/search"),
        ("consents", "POST", f"{FEDERATION}/citizenEboxConsents/search"),
        ("events", "POST", EVENTS),
    ],
)
def test_each_question_has_its_own_switch_and_count(service, method, path, federation, http, fault):
    http.delete(f"{federation.base_url}/sandbox/calls")
    fault(**{service: "error"})

    answer = http.request(method, federation.base_url + path)
    fault(**{name: "error" for name in SERVICES if name != service})
    well = http.request(method, federation.base_url + path)

    assert (answer.status_code, well.status_code) == (500, 401)
    counted = http.get(f"{federation.base_url}/sandbox/calls").json()
    assert {name for name, calls in counted.items() if calls} == {service}


def test_an_error(ask, fault):
    fault(introspect="error")

    assert ask().status_code == 500


def test_a_page_for_people(ask, fault):
    fault(introspect="html")

    answer = ask()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


def test_what_is_no_json(ask, fault):
    fault(introspect="garbage")

    answer = ask()
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_lie(ask, fault):
    fault(introspect="lie")

    assert ask().json()["active"] == "false"


def test_a_conflict(ask, fault):
    fault(introspect="conflict")

    assert ask().status_code == 409


def test_a_quota_that_is_used_up(ask, fault):
    fault(introspect="busy")

    answer = ask()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_a_connection_that_breaks(ask, fault):
    fault(introspect="reset")

    with pytest.raises(requests.ConnectionError):
        ask(timeout=5)


def test_an_answer_that_does_not_come(ask, fault):
    fault(introspect="slow")

    with pytest.raises(requests.ReadTimeout):
        ask(timeout=0.3)


def test_a_slow_answer_comes_in_the_end(ask, fault):
    fault(introspect="slow", seconds=0.3)
    started = time.monotonic()

    assert ask(timeout=5).json() == {"active": False}
    assert time.monotonic() - started >= 0.3


def test_good_days_release_who_waits(ask, fault):
    fault(introspect="slow")
    threading.Timer(0.3, fault).start()
    started = time.monotonic()

    assert ask(timeout=5).json() == {"active": False}
    assert time.monotonic() - started < 3


def test_a_dribble_outlives_the_time_between_two_reads(ask, fault):
    fault(introspect="dribble", seconds=1)
    started = time.monotonic()

    assert ask(timeout=0.6).json() == {"active": False}
    assert time.monotonic() - started >= 1


def test_a_dribble_ends_with_the_bad_day(ask, fault):
    fault(introspect="dribble")
    threading.Timer(0.6, fault).start()
    started = time.monotonic()

    assert ask(timeout=5).json() == {"active": False}
    assert time.monotonic() - started < 3


def test_each_service_has_its_own_days(ask, fault, token):
    fault(token="error")

    assert ask().status_code == 200
    with pytest.raises(TokenRefused, match="500"):
        token("citizen")


def test_all_is_well_when_nothing_is_said(ask, fault, federation, http):
    fault(introspect="error")

    assert fault() == 200
    assert ask().status_code == 200
    assert http.get(f"{federation.base_url}/sandbox/faults").json() == {}


@pytest.mark.parametrize("faults", [{"introspect": "sad"}, {"nothing": "slow"}], ids=str)
def test_an_unknown_fault_is_refused(faults, fault):
    assert fault(**faults) == 400
