"""The Partition API's answers, true and false."""

import time

import pytest

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.federation_words import Member
from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.federation.member_names import MemberNames

US, ANNA = EnterpriseNumber("0206731645"), Ssin("85073003328")
RIGHTS = "/ebox/0206731645/users/85073003328/partitions"
LIST = "/ebox/0206731645/partitions"


def items(*values, **more):
    return {"items": list(values), **more}


def test_partitions_with_the_right_to_consult_are_readable(federation, partitions):
    answer = items(
        {"partition": "HR", "rights": ["consult"]},
        {"partition": "LEGAL", "rights": ["publish", "consult"], "since": "2026-01-01"},
        {"partition": "FINANCE", "rights": ["publish"]},
        {"partition": "IT", "rights": []},
        totalItems=4,
    )
    federation.on[RIGHTS] = federation.says(answer)

    assert partitions().rights(US, ANNA) == {"HR", "LEGAL"}
    assert federation.requests[-1].headers["Authorization"] == "Bearer own-token-1"
    assert "scope" not in federation.requests[0].form


def test_somebody_the_service_does_not_know_may_read_nothing(federation, partitions):
    federation.on[RIGHTS] = federation.says({"title": "not found"}, 404)

    assert partitions().rights(US, ANNA) == frozenset()


def test_every_ebox_has_the_general_partition(federation, partitions):
    federation.on[LIST] = federation.says(items({"partition": "HR"}))
    assert partitions().partitions(US) == {"GENERAL", "HR"}

    federation.on[LIST] = federation.says(items())
    assert partitions().partitions(US) == {"GENERAL"}


def test_an_answer_may_be_longer_than_a_token(federation, partitions):
    many = [{"partition": f"PARTITION-{n:04}", "rights": ["consult"]} for n in range(3000)]
    federation.on[RIGHTS] = federation.says(items(*many))

    assert len(partitions().rights(US, ANNA)) == 3000


def test_likely_names_of_members_are_understood(federation, partitions):
    item = {"targetPartition": "HR", "userRights": ["consult"]}
    federation.on[RIGHTS] = federation.says({"partitions": [item]})

    assert partitions().rights(US, ANNA) == {"HR"}


def test_names_of_members_are_settings(federation, partitions):
    names = MemberNames({Member.ITEMS: ("lijst",), Member.RIGHTS: ("rechten",)})
    item = {"partition": "HR", "rechten": ["consult"]}
    federation.on[RIGHTS] = federation.says({"lijst": [item]})

    assert partitions(names=names).rights(US, ANNA) == {"HR"}


LIES = {
    "HTML": (b"<html>", 200),
    "a list": ([], 200),
    "no items": ({}, 200),
    "an object of items": ({"items": {}}, 200),
    "a name for an item": (items("HR"), 200),
    "an item without name": (items({"rights": ["consult"]}), 200),
    "an empty name": (items({"partition": "", "rights": ["consult"]}), 200),
    "a number for a name": (items({"partition": 1, "rights": ["consult"]}), 200),
    "no rights": (items({"partition": "HR"}), 200),
    "a word for rights": (items({"partition": "HR", "rights": "consult"}), 200),
    "numbers for rights": (items({"partition": "HR", "rights": [1]}), 200),
    "a refusal of the request": (items(), 400),
    "a refusal of our token": (items(), 403),
    "no content": (b"", 204),
    "too much": (b" " * 1_100_000, 200),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_cannot_be_right_gives_no_right(federation, partitions, lie):
    federation.on[RIGHTS] = federation.says(*LIES[lie])

    with pytest.raises(UpstreamInvalid):
        partitions().rights(US, ANNA)


def test_a_list_that_is_not_found_is_not_an_empty_list(federation, partitions):
    federation.on[LIST] = federation.says(items(), 404)

    with pytest.raises(UpstreamInvalid):
        partitions().partitions(US)


@pytest.mark.parametrize(
    "outage", ["is_silent", "resets", "dribbles_headers", "dribbles_body", "stops_halfway"]
)
def test_no_answer_is_an_outage_told_in_time(federation, partitions, outage):
    federation.on[RIGHTS] = getattr(federation, outage)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        partitions(timeout=0.5).rights(US, ANNA)

    assert time.monotonic() - began < 2.5


def test_nobody_listening_is_an_outage(partitions):
    with pytest.raises(Unavailable):
        partitions(base="http://127.0.0.1:1").rights(US, ANNA)


def test_a_service_that_keeps_failing_is_left_alone_for_a_while(federation, partitions, clock):
    federation.on[RIGHTS] = federation.says(b"", 503)
    service = partitions(failures=2)
    for _ in range(4):
        with pytest.raises(Unavailable):
            service.rights(US, ANNA)
    assert federation.calls[RIGHTS] == 2

    federation.on[RIGHTS] = federation.says(items())
    clock.advance(60)
    assert service.rights(US, ANNA) == frozenset()


def test_our_token_is_renewed_when_it_is_refused(federation, partitions):
    def revoked_once(request):
        refused = request.headers["Authorization"] == "Bearer own-token-1"
        federation.say(request, items(), 401 if refused else 200)

    federation.on[RIGHTS] = revoked_once

    assert partitions().rights(US, ANNA) == frozenset()
    assert federation.calls == {"/token": 2, RIGHTS: 2}
