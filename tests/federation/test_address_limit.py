"""The limit on unknown tokens by address."""

from ipaddress import IPv6Address

import pytest

from registry.domain.access import Caller
from registry.domain.errors import TokenExpired, TokenInvalid, TooManyRequests, Unavailable
from registry.domain.errors import UpstreamInvalid as Odd
from registry.federation.address_limit import AddressLimit

HERE, THERE = "192.0.2.1", "192.0.2.2"
CALLER = Caller("a-client", frozenset(), "hash")


@pytest.fixture
def limit(seconds):
    return AddressLimit(4, 10, seconds)


def count(limit, address, *outcomes):
    for outcome in outcomes:
        limit.count(address, outcome)


def refuses(limit, address):
    """Seconds until it may come back, or None."""
    try:
        limit.check(address)
    except TooManyRequests as error:
        return error.retry_after
    return None


def test_so_many_refusals_a_minute_and_no_more(limit, seconds):
    count(limit, HERE, TokenInvalid, TokenExpired, TokenInvalid)
    assert refuses(limit, HERE) is None
    seconds.now += 0.5
    count(limit, HERE, TokenInvalid)

    assert refuses(limit, HERE) == 60
    assert refuses(limit, THERE) is None
    seconds.now += 59
    assert refuses(limit, HERE) == 1
    seconds.now += 0.5
    assert refuses(limit, HERE) is None
    count(limit, HERE, TokenInvalid)
    assert refuses(limit, HERE) is None


def test_an_address_that_brings_few_bad_tokens_may_wait_for_a_seat(limit, seconds):
    assert limit.check(HERE)
    count(limit, HERE, *[CALLER] * 100)
    assert limit.check(HERE)
    count(limit, HERE, TokenInvalid)

    assert not limit.check(HERE)
    seconds.now += 60
    assert limit.check(HERE)


def test_tokens_that_turn_out_active_cost_nothing(limit):
    count(limit, HERE, *[CALLER] * 100, *[TokenInvalid] * 3, *[CALLER] * 100)

    assert refuses(limit, HERE) is None


def test_an_outage_is_not_held_against_whoever_came_meanwhile(limit):
    count(limit, HERE, TokenInvalid, *[Unavailable, Odd] * 100, *[TokenInvalid] * 2)
    assert refuses(limit, HERE) is None
    count(limit, HERE, TokenInvalid)

    assert refuses(limit, HERE)


@pytest.mark.parametrize(
    ("address", "neighbour"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"),
        ("2001:db8:0:0:1::", "[2001:db8::7]:443"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:51234", "192.0.2.7:51235"),
    ],
)
def test_what_one_client_has_of_addresses_is_counted_together(limit, address, neighbour):
    count(limit, address, *[TokenInvalid] * 4)

    assert refuses(limit, neighbour)


def test_the_next_network_is_another_client(limit):
    count(limit, "2001:db8::1", *[TokenInvalid] * 4)

    assert refuses(limit, "2001:db8:0:1::1") is None


@pytest.mark.parametrize("address", ["", "unknown", "_hidden", "1.2.3", "\x00", "a:b"])
def test_no_address_is_nobodys(limit, address):
    count(limit, address, *[TokenInvalid] * 100)

    assert refuses(limit, address) is None


def test_no_limit_is_none(seconds):
    limit = AddressLimit(0, 10, seconds)
    count(limit, HERE, *[TokenInvalid] * 100)

    limit.check(HERE)


def test_memory_is_bounded_and_who_goes_on_is_not_forgotten(limit):
    count(limit, HERE, *[TokenInvalid] * 4)
    count(limit, THERE, *[TokenInvalid] * 4)

    for network in range(10):
        limit.count(str(IPv6Address(network << 64)), TokenInvalid)
        assert refuses(limit, HERE)
    assert refuses(limit, THERE) is None
