"""GET …/doc/openapi.yaml and .json: the contract, for whoever wants to read it."""

import pytest
import yaml

from tests.conftest import V3

BASES = list(V3.values())
FORMS = {"yaml": "application/yaml", "json": "application/json"}


def read(client, base, form):
    answer = client.get(f"{base}/doc/openapi.{form}")
    assert answer.status_code == 200
    return yaml.load(answer.text, yaml.CSafeLoader) if form == "yaml" else answer.json


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("base", BASES)
def test_the_document_is_there_for_anyone(app, base, form):
    answer = app.test_client().get(f"{base}/doc/openapi.{form}")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == FORMS[form]


@pytest.mark.parametrize("base", BASES)
def test_both_forms_say_the_same(app, base):
    client = app.test_client()

    in_yaml, in_json = read(client, base, "yaml"), read(client, base, "json")

    assert in_yaml == in_json
    assert in_json["openapi"].startswith("3.0.")
    assert in_json["info"]["version"].startswith("3.")


@pytest.mark.parametrize("base", BASES)
def test_the_document_names_the_server_it_came_from(app, base):
    document = read(app.test_client(), base, "json")

    assert document["servers"] == [{"url": f"http://localhost{base}"}]


def test_the_server_is_named_by_its_public_address_whatever_host_the_client_used(app_with):
    app = app_with(public_url="https://registry.example")

    answer = app.test_client().get(f"{BASES[0]}/doc/openapi.json", headers={"Host": "evil.example"})

    assert answer.json["servers"] == [{"url": f"https://registry.example{BASES[0]}"}]


@pytest.mark.parametrize("form", FORMS)
def test_a_client_that_takes_neither_form_is_told(app, form):
    path = f"{BASES[0]}/doc/openapi.{form}"

    answer = app.test_client().get(path, headers={"Accept": "text/html"})

    assert answer.status_code == 406
    assert answer.json["type"] == "urn:problem-type:ebox:messageRegistry:notAcceptable"


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "application/yaml", "text/html,*/*;q=0.8"]
)
def test_a_client_that_takes_yaml_gets_it(app, accept):
    answer = app.test_client().get(f"{BASES[0]}/doc/openapi.yaml", headers={"Accept": accept})

    assert answer.status_code == 200
