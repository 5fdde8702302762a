"""What nobody reads in a request refuses nothing (contract 6.6, 6.32), in both versions."""

import json
from datetime import UTC, datetime
from urllib.parse import unquote
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from tests.api.v2.visiting import in_version_2
from tests.log_lines import written_lines

CITIZENS_NUMBER = "85041299768"
ODD_IDS = ["1x2", "not-an-id", "A0000000-0000-4000-8000-000000000000", "%C3%A9", "x" * 300]


@pytest.fixture(params=["3-enterprise", "3-citizen", "2-enterprise", "2-citizen"])
def anyone(request, consumer, citizen):
    """Somebody at the base path of each version and family."""
    version, family = request.param.split("-")
    visitor = citizen if family == "citizen" else consumer
    return in_version_2(visitor) if version == "2" else visitor


@pytest.mark.parametrize(
    "query", ["nosuch=1", "page%5B%5D=1", "=1", "x", "%FF=%FF", f"ssin={CITIZENS_NUMBER}"]
)
def test_an_unknown_parameter_changes_nothing(anyone, deliver, query):
    deliver(anyone.ebox)

    plain, queried = anyone.get("/ebox/messages"), anyone.get(f"/ebox/messages?{query}")

    assert queried.status_code == 200, queried.text
    assert queried.json == plain.json


def test_names_of_unknown_parameters_are_counted_and_logged_but_no_values(anyone):
    def count():
        samples = REGISTRY.collect()
        (counter,) = (one for one in samples if one.name == "registry_unknown_parameters")
        return sum(one.value for one in counter.samples if one.name.endswith("_total"))

    before = count()
    with written_lines() as lines:
        anyone.get(f"/ebox/messages?nosuch={CITIZENS_NUMBER}&{CITIZENS_NUMBER}=1&page=1")

    (line,) = lines
    assert count() == before + 2
    assert json.loads(line)["unknown_parameters"] == ["nosuch", "…"]
    assert CITIZENS_NUMBER not in line


@pytest.mark.parametrize(
    ("old", "new"),
    [("readStatus", "isRead"), ("visible", "isVisible"), ("registeredMail", "isRegisteredMail")],
)
def test_version_3_knows_the_names_of_2_1(consumer, deliver, old, new):
    columns = {
        "isRead": ("read_at", datetime.now(UTC), None),
        "isVisible": ("is_visible", True, False),
        "isRegisteredMail": ("is_registered", True, False),
    }
    column, *values = columns[new]
    for value in values:
        deliver(consumer.ebox, **{column: value})

    for value in ("true", "false"):
        by_old, by_new = (consumer.get(f"/ebox/messages?{name}={value}") for name in (old, new))
        assert by_old.json == by_new.json
        assert by_old.json["totalItems"] == 1
    # Where both are given, today's counts.
    assert consumer.get(f"/ebox/messages?{old}=true&{new}=false").json == by_new.json
    assert consumer.get(f"/ebox/messages?{old}=maybe").status_code == 400


@pytest.mark.parametrize("query", ["q=", "q=&qlang=nl", "q"])
def test_an_empty_search_is_none(anyone, deliver, query):
    deliver(anyone.ebox)

    assert anyone.get(f"/ebox/messages?{query}").json["totalItems"] == 1


def scrub(answer, typed):
    """All that is told, but for the id that was asked for, and the occurrence."""
    occurrence = answer.headers["BelGov-Trace-Id"]
    typed_text = unquote(typed)[:200]
    return answer.text.replace(typed_text, "ID").replace(occurrence, "OCCURRENCE")


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize(
    "path", ["", "/attachments", "/attachments/1", "/attachments/1/content", "/body"]
)
def test_an_id_of_an_odd_shape_is_one_that_never_was(anyone, path, odd):
    unknown = str(uuid4())

    answers = [anyone.get(f"/ebox/messages/{id_}{path}") for id_ in (odd, unknown)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert scrub(answers[0], odd) == scrub(answers[1], unknown)


def test_a_personal_number_for_an_id_is_not_repeated(consumer):
    answer = consumer.get(f"/ebox/messages/{CITIZENS_NUMBER}")

    assert answer.status_code == 404
    assert CITIZENS_NUMBER not in answer.text


@pytest.mark.parametrize("odd", ["1", "not-an-id"])
def test_a_change_of_an_id_of_an_odd_shape_finds_nothing(consumer, citizen, odd):
    for visitor in (consumer, citizen):
        answers = [
            visitor.ask(
                "PATCH",
                "/ebox/messages",
                json={"items": [{"messageId": str(id_), "isVisible": False}]},
                content_type="application/merge-patch+json",
            )
            for id_ in (odd, uuid4())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]


def test_a_setting_has_unknown_parameters_refused_in_version_3(app_with, elsewhere, consumer):
    strict = elsewhere(consumer, app_with(refuse_unknown_parameters=True))

    refused = strict.get("/ebox/messages?recievedAfter=2026-01-01")

    assert refused.status_code == 400
    assert refused.json["issues"][0]["type"].endswith("unknownInput")
    assert in_version_2(strict).get("/ebox/messages?nosuch=1").status_code == 200
    assert strict.get("/ebox/messages?readStatus=true").status_code == 200
