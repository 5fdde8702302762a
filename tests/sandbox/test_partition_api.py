import json
import os

from registry.sandbox.personas import ACCOUNTANT, BAKERY, CITIZEN


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


def test_an_unknown_enterprise_is_a_problem(federation, http, bearer):
    for path in ("partitions", f"users/{CITIZEN}/partitions"):
        url = f"{federation.partition_url}/ebox/0123456749/{path}"

        answer = http.get(url, headers=bearer("registry"))

        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:problem-type:belgif:resourceNotFound"


def test_a_bearer_is_needed(federation, http):
    answer = http.get(f"{federation.partition_url}/ebox/{BAKERY}/partitions")

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
