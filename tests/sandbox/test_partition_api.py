import json
import os

import pytest

from registry.sandbox.personas import ACCOUNTANT, AGENCY, BAKERY, CITIZEN, FIDUCIARY, GARAGE


def test_the_partitions_of_an_ebox(federation, http, bearer):
    url = f"{federation.partition_url}/ebox/{BAKERY}/partitions"

    answer = http.get(url, headers=bearer("registry"))

    names = [item["partition"] for item in answer.json()["items"]]
    assert names == ["GENERAL", "partitionB", "partitionToDelete", "partitionNoAccess"]


def test_what_a_user_may_read(federation, http, bearer):
    url = f"{federation.partition_url}/ebox/{BAKERY}/users/{ACCOUNTANT}/partitions"

    answer = http.get(url, headers=bearer("registry"))

    assert answer.json()["items"] == [
        {"partition": name, "rights": ["consult"]}
        for name in ("GENERAL", "partitionB", "partitionToDelete")
    ]


def test_somebody_without_rights_may_read_nothing(federation, http, bearer):
    url = f"{federation.partition_url}/ebox/{BAKERY}/users/{CITIZEN}/partitions"

    answer = http.get(url, headers=bearer("registry"))

    assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_the_routing_rules_of_an_ebox_by_priority(federation, http, bearer):
    url = f"{federation.partition_url}/ebox/{BAKERY}/routingRules"

    answer = http.get(url, headers=bearer("registry"))

    assert answer.json() == {
        "items": [
            {
                "routingRuleId": 1,
                "messageTypeId": "information-letter",
                "senderOrganizationId": AGENCY.digits,
                "partition": "partitionB",
            }
        ],
        "totalItems": 1,
    }


def test_an_ebox_need_not_have_rules(federation, http, bearer, enrolled):
    path = enrolled.federation / "partitions.json"
    before = path.read_text()
    path.write_text(json.dumps({GARAGE.digits: {"partitions": ["GENERAL"], "users": {}}}))
    os.utime(path, ns=(2, 2))
    url = f"{federation.partition_url}/ebox/{GARAGE}/routingRules"

    answer = http.get(url, headers=bearer("registry"))
    path.write_text(before)

    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.fixture
def has_mandate(federation, http, bearer):
    """Asks as the registry does: whose token it is, and whom the header names."""

    def ask(publisher, **query):
        url = f"{federation.partition_url}/ebox/{publisher}/hasMandate"
        return http.get(url, params=query, headers=bearer("registry"))

    return ask


@pytest.mark.parametrize(
    ("publisher", "named", "operation", "holds"),
    [
        (FIDUCIARY, AGENCY, "publish", True),
        (AGENCY, FIDUCIARY, "publish", False),
        (FIDUCIARY, GARAGE, "publish", False),
        (FIDUCIARY, AGENCY, "consult", True),
        (AGENCY, FIDUCIARY, "consult", False),
        (FIDUCIARY, AGENCY, "delete", False),
        ("0123456749", AGENCY, "publish", False),
    ],
)
def test_a_mandate_is_for_one_pair_one_way_and_one_operation(
    publisher, named, operation, holds, has_mandate
):
    answer = has_mandate(publisher, mandataryEnterpriseNumber=str(named), operation=operation)

    assert (answer.status_code, answer.json()) == (200, {"hasMandate": holds})


@pytest.mark.parametrize("query", [{}, {"operation": "publish"}], ids=str)
def test_a_question_about_a_mandate_is_whole(query, has_mandate):
    answer = has_mandate(FIDUCIARY, **query)

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:problem-type:belgif:badRequest"


def test_an_unknown_enterprise_is_a_problem(federation, http, bearer):
    for path in ("partitions", "routingRules", f"users/{CITIZEN}/partitions"):
        url = f"{federation.partition_url}/ebox/0123456749/{path}"

        answer = http.get(url, headers=bearer("registry"))

        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:problem-type:belgif:resourceNotFound"


@pytest.mark.parametrize("question", ["partitions", "routingRules", "hasMandate"])
def test_a_bearer_is_needed(question, federation, http):
    answer = http.get(f"{federation.partition_url}/ebox/{BAKERY}/{question}")

    assert answer.status_code == 401


def test_rights_may_change_while_it_runs(federation, http, bearer, enrolled):
    url = f"{federation.partition_url}/ebox/{BAKERY}/partitions"
    path = enrolled.federation / "partitions.json"
    before = path.read_text()
    assert len(http.get(url, headers=bearer("registry")).json()["items"]) == 4

    path.write_text(json.dumps({BAKERY.digits: {"partitions": ["GENERAL"], "users": {}}}))
    os.utime(path, ns=(1, 1))
    after = http.get(url, headers=bearer("registry")).json()
    path.write_text(before)

    assert after["items"] == [{"partition": "GENERAL"}]
