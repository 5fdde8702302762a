"""Health and the OpenAPI document below …/v2, for anybody."""

import pytest
import yaml
from pydantic import SecretStr

from tests.api.v2.visiting import told
from tests.conformance.bases import V2

BASES = list(V2.values())


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_is_told_to_anyone(app, base, path):
    answer = app.test_client().get(f"{base}{path}?x=1")

    assert (answer.status_code, answer.json) == (200, {"status": "UP"})


def test_bad_health_is_no_error_message(app_with):
    nowhere = SecretStr("postgresql://nobody:x@127.0.0.1:9/nothing")

    answer = app_with(database_url=nowhere).test_client().get(f"{BASES[0]}/health")

    assert (answer.status_code, answer.json) == (503, {"status": "DOWN"})


@pytest.mark.parametrize("base", BASES)
def test_the_document_of_version_2_is_there_in_both_forms(app, base):
    client = app.test_client()

    in_yaml, in_json = (client.get(f"{base}/doc/openapi.{form}?x=1") for form in ("yaml", "json"))

    assert yaml.load(in_yaml.text, yaml.CSafeLoader) == in_json.json
    assert in_json.json["info"]["version"] == "2.1.0"
    assert in_json.json["servers"] == [{"url": f"http://localhost{base}"}]


def test_a_client_that_takes_neither_form_is_told(app):
    answer = app.test_client().get(f"{BASES[0]}/doc/openapi.json", headers={"Accept": "text/html"})

    assert told(answer, 406)[0] == "NOT_ACCEPTABLE"
