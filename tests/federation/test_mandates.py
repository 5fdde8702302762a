"""Whether one enterprise may publish for another: denied on every doubt."""

import time

import pytest

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.identifiers import EnterpriseNumber
from registry.federation.unconfigured import NoPartitionApi

US, THEM = EnterpriseNumber("0206731645"), EnterpriseNumber("0888901268")
QUESTION = "/ebox/0206731645/hasMandate?mandataryEnterpriseNumber=0888901268&operation=publish"
SWAPPED = "/ebox/0888901268/hasMandate?mandataryEnterpriseNumber=0206731645&operation=publish"


@pytest.mark.parametrize("granted", [True, False])
def test_a_mandate_is_what_the_service_says(federation, partitions, granted):
    federation.on[QUESTION] = federation.says({"hasMandate": granted, "since": "2026-01-01"})

    assert partitions().has_mandate(US, THEM) is granted
    assert federation.requests[-1].headers["Authorization"] == "Bearer own-token-1"


def test_the_direction_of_a_mandate_can_be_swapped(federation, partitions):
    federation.on[SWAPPED] = federation.says({"hasMandate": True})

    assert partitions(is_mandate_swapped=True).has_mandate(US, THEM) is True
    assert federation.calls[SWAPPED] == 1


def test_a_mandate_is_for_one_operation(federation, partitions):
    path = QUESTION.replace("publish", "consult")
    federation.on[path] = federation.says({"hasMandate": True})

    assert partitions().has_mandate(US, THEM, "consult") is True


LIES = {
    "HTML": (b"<html>", 200),
    "a list": ([True], 200),
    "true alone": (True, 200),
    "nothing": ({}, 200),
    "null": ({"hasMandate": None}, 200),
    "a word": ({"hasMandate": "true"}, 200),
    "one": ({"hasMandate": 1}, 200),
    "another spelling": ({"hasmandate": True}, 200),
    "an unknown enterprise": ({"hasMandate": True}, 404),
    "a refusal of the request": ({"hasMandate": True}, 400),
    "a refusal of our token": ({"hasMandate": True}, 403),
    "another success": ({"hasMandate": True}, 202),
    "no content": (b"", 204),
    "too much": (b" " * 1_100_000 + b'{"hasMandate": true}', 200),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_right_is_no_mandate(federation, partitions, lie):
    federation.on[QUESTION] = federation.says(*LIES[lie])

    with pytest.raises(UpstreamInvalid):
        partitions().has_mandate(US, THEM)


@pytest.mark.parametrize(
    "outage", ["is_silent", "resets", "dribbles_headers", "dribbles_body", "stops_halfway"]
)
def test_no_answer_is_no_mandate_told_in_time(federation, partitions, outage):
    federation.on[QUESTION] = getattr(federation, outage)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        partitions(timeout=0.5).has_mandate(US, THEM)

    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_ill_gives_no_mandate(federation, partitions, status):
    federation.on[QUESTION] = federation.says({"hasMandate": True}, status)

    with pytest.raises(Unavailable):
        partitions().has_mandate(US, THEM)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_odd_numbers_of_one_caller_do_not_shut_the_service_off_for_others(
    federation, partitions, status
):
    federation.on[QUESTION] = federation.says({}, status)
    federation.on[SWAPPED] = federation.says({"hasMandate": True})
    service = partitions(failures=2)
    for _ in range(4):
        with pytest.raises(UpstreamInvalid):
            service.has_mandate(US, THEM)

    assert service.has_mandate(THEM, US) is True


def test_a_service_that_keeps_lying_is_left_alone_for_a_while(federation, partitions, clock):
    federation.on[QUESTION] = federation.says(b"<html>")
    service = partitions(failures=2)
    for error in (UpstreamInvalid, UpstreamInvalid, Unavailable):
        with pytest.raises(error):
            service.has_mandate(US, THEM)
    assert federation.calls[QUESTION] == 2

    federation.on[QUESTION] = federation.says({"hasMandate": True})
    clock.advance(60)
    assert service.has_mandate(US, THEM) is True


def test_without_a_partition_api_nobody_has_a_mandate():
    with pytest.raises(Unavailable):
        NoPartitionApi().has_mandate(US, THEM)
