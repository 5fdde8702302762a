"""Floods of made-up tokens: the address that sends them is stopped, and nobody else."""

import pytest

from registry.sandbox.personas import CONSUMER
from tests.conftest import V3
from tests.factories import an_ebox

KIND = an_ebox().kind
LIST = {3: f"{V3[KIND]}/ebox/messages", 2: f"{V3[KIND][:-1]}2/ebox/messages"}
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def ask(app_with):
    """Asks for a listing with a token, from an address, by way of so many proxies."""
    apps = {}

    def send(token, forwarded=None, *, proxies=1, version=3, peer="127.0.0.1"):
        if proxies not in apps:
            apps[proxies] = app_with(unknown_tokens=3, trusted_proxies=proxies)
        headers = {"Authorization": f"Bearer {token}"}
        if forwarded is not None:
            headers["X-Forwarded-For"] = forwarded
        return (
            apps[proxies]
            .test_client()
            .get(LIST[version], headers=headers, environ_base={"REMOTE_ADDR": peer})
        )

    return send


def statuses(ask, count, *where, **how):
    return [ask(f"random-{number}", *where, **how).status_code for number in range(count)]


def test_over_the_limit_an_address_is_told_when_to_come_back(ask):
    assert statuses(ask, 3, HERE) == [401] * 3

    answer = ask("random-again", HERE)

    assert answer.status_code == 429
    assert answer.json["type"] == "urn:problem-type:belgif:tooManyRequests"
    assert answer.json["limit"] == 3
    assert answer.headers["Retry-After"] == str(answer.json["retryAfterSec"])
    assert 1 <= answer.json["retryAfterSec"] <= 60


def test_version_2_tells_it_in_its_own_shape(ask):
    assert statuses(ask, 3, HERE, version=2) == [401] * 3

    answer = ask("random-again", HERE, version=2)

    assert (answer.status_code, answer.json["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_known_callers_and_other_addresses_are_served(ask, visitor):
    known, new = visitor(CONSUMER), visitor(CONSUMER)
    assert ask(known.token, HERE).status_code == 200

    assert statuses(ask, 5, HERE) == [401] * 3 + [429] * 2
    assert ask(known.token, HERE).status_code == 200
    assert ask(new.token, HERE).status_code == 429
    assert ask(new.token, THERE).status_code == 200


def test_a_portal_brings_good_tokens_without_end(ask, visitor):
    assert [ask(visitor(CONSUMER).token, HERE).status_code for _ in range(8)] == [200] * 8
    assert statuses(ask, 4, HERE) == [401] * 3 + [429]


@pytest.mark.parametrize(
    ("forwarded", "proxies", "same"),
    [
        ("{}, 192.0.2.7", 1, True),  # what the client says before is not believed
        ("192.0.2.7, {}", 1, False),
        ("{}, 10.0.0.1", 2, False),
        ("{}, 192.0.2.7, 10.0.0.1", 2, True),
        ("{}", 2, True),  # went round a proxy: it is the one that speaks to us
        ("{}", 0, True),
        ("2001:db8::{}", 1, True),
        ("2001:db8:0:{}::1", 1, False),
    ],
)
def test_the_address_is_what_the_trusted_proxies_saw(ask, forwarded, proxies, same):
    got = []
    for number in range(1, 6):
        spot = number if ":" in forwarded else f"198.51.100.{number}"
        answer = ask(f"random-{number}", forwarded.format(spot), proxies=proxies)
        got.append(answer.status_code)

    assert got == ([401] * 3 + [429] * 2 if same else [401] * 5)


def test_without_a_proxy_the_address_is_the_peers(ask):
    assert statuses(ask, 4, peer=HERE) == [401] * 3 + [429]
    assert ask("another", peer=THERE).status_code == 401
