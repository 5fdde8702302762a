"""Slashes that a client puts where the contract has none (contract 6.22, 6.43)."""

from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from tests.api.v2.visiting import in_version_2


@pytest.fixture(params=["3-enterprise", "3-citizen", "2-enterprise", "2-citizen"])
def anyone(request, consumer, citizen):
    """Somebody at the base path of each version and family."""
    version, family = request.param.split("-")
    visitor = citizen if family == EboxKind.CITIZEN else consumer
    return in_version_2(visitor) if version == "2" else visitor


@pytest.mark.parametrize("path", ["/ebox/messages/", "//ebox/messages", "/ebox//messages//"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_list_is_there_with_more_slashes_too(anyone, deliver, method, path):
    deliver(anyone.ebox)

    answers = [anyone.ask(method, one) for one in ("/ebox/messages", path)]

    assert [answer.status_code for answer in answers] == [200, 200]  # and no redirection
    assert answers[0].data == answers[1].data


def test_a_message_is_there_with_more_slashes_too(anyone, deliver):
    message = deliver(anyone.ebox)

    answer = anyone.get(f"//ebox///messages//{message}")

    assert answer.status_code == 200
    assert answer.json["messageId"] == str(message)


@pytest.mark.parametrize("path", ["/ebox/messages/%2F", "/ebox/messages/%2Fattachments"])
def test_a_slash_that_is_encoded_is_none_of_the_path(anyone, path):
    assert anyone.get(path).status_code == 404


def test_another_slash_at_the_end_is_another_resource(anyone):
    assert anyone.get(f"/ebox/messages/{uuid4()}/").status_code == 404
    assert anyone.get("/ebox/").status_code == 404
