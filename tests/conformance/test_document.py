"""The OpenAPI document is sound in itself: valid, exemplary and in the Belgian style.

Whether the registry does what the document says is tested elsewhere.
"""

import importlib.util
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import yaml
from jsonschema import Draft4Validator, FormatChecker
from openapi_spec_validator import validate

ROOT: Final = Path(__file__).resolve().parents[2]
LINTER: Final = ROOT.parent / "shared" / "tools" / "belgif_lint.py"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
# A schema of OpenAPI 3.0 is one of JSON Schema draft 4, but for `nullable`.
FORMATS: Final = FormatChecker(formats=())

Node = dict[str, Any]


@FORMATS.checks("date", raises=ValueError)
def is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time_with_offset(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return bool(DATE_TIME.fullmatch(value)) and bool(datetime.fromisoformat(value))


@FORMATS.checks("uuid", raises=ValueError)
def is_uuid_in_lower_case(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value


@FORMATS.checks("uri", raises=ValueError)
def is_absolute_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


@pytest.fixture(scope="module")
def document() -> Node:
    text = (ROOT / "openapi" / "messageregistry-3.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def deref(document: Node, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        node = at(document, node["$ref"])
    return node


def at(document: Node, pointer: str) -> Any:
    node: Any = document
    for part in pointer.removeprefix("#/").split("/"):
        step = part.replace("~1", "/").replace("~0", "~")
        node = node[int(step)] if isinstance(node, list) else node.get(step)
    return node


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def nodes(node: Any, where: str = "#") -> Iterator[tuple[str, Node]]:
    """Every object of the document, but nothing inside an example or a default."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from nodes(child, f"{where}/{index}")
    if isinstance(node, dict):
        yield where, node
        keys_are_names = where.endswith(("/properties", "/responses"))
        for key, child in node.items():
            if keys_are_names or key not in ("example", "examples", "default", "enum"):
                yield from nodes(child, f"{where}/{key}")


def examples(document: Node) -> Iterator[tuple[str, Node, Any]]:
    """Where, schema and value of each example: of media types, parameters, headers, schemas."""
    for where, node in nodes(document):
        if where.endswith("/properties"):
            continue
        schema = node.get("schema", node)
        if "example" in node:
            yield f"{where}/example", schema, node["example"]
        for name, example in node.get("examples", {}).items():
            yield f"{where}/examples/{name}", schema, deref(document, example)["value"]


def without_nullable(node: Any) -> Any:
    """The same schema in plain JSON Schema: what may be null says so by its type."""
    if isinstance(node, list):
        return [without_nullable(child) for child in node]
    if not isinstance(node, dict):
        return node
    plain = {key: without_nullable(child) for key, child in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        plain["type"] = [node["type"], "null"]
        if "enum" in plain:
            plain["enum"] = [*plain["enum"], None]
    return plain


def faults(document: Node, schema: Node, value: Any) -> list[str]:
    root = {
        "allOf": [without_nullable(schema)],
        "components": {"schemas": without_nullable(document["components"]["schemas"])},
    }
    validator = Draft4Validator(root, format_checker=FORMATS)
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings(child)


def has_checksum(number: str) -> bool:
    return 97 - int(number[:8]) % 97 == int(number[8:])


def reached_from(document: Node, node: Any, seen: set[str]) -> set[str]:
    """The names of the schemas a part of the document uses, directly or not."""
    for _, child in nodes(node):
        reference = child.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            reached_from(document, at(document, reference), seen)
    return {name.rpartition("/")[2] for name in seen if name.startswith("#/components/schemas/")}


def explanation(document: Node, rule: str, where: str, why: Any) -> str:
    """What the document says in excuse of a finding, at the very place of the finding."""
    if where.startswith("#"):
        place = at(document, where)
    elif " " in where:
        method, path = where.split(" ", 1)
        operation = document["paths"][path][method.lower()]
        place = deref(document, operation["responses"].get(str(why), operation))
    else:
        place = document["paths"][where]
    return place.get("x-ignore-rules", {}).get(rule, "") if isinstance(place, dict) else ""


def test_the_document_is_valid_openapi(document):
    validate(document)


def test_the_document_says_what_it_is(document):
    info = document["info"]

    assert document["openapi"] == "3.0.3"
    assert info["title"] == "e-Box MessageRegistry"
    assert info["version"] == "3.5.0"
    assert "reconstruction" in info["description"]
    assert info["license"]["name"] == "Apache-2.0"


def test_enterprises_and_citizens_each_have_their_base_path(document):
    assert {urlsplit(server["url"]).path for server in document["servers"]} == {
        "/REST/ebox/enterprise/messageRegistry/v3",
        "/REST/ebox/citizen/messageRegistry/v3",
    }


def test_the_document_means_the_same_in_json(document):
    """An unquoted date or number in YAML would be something else for another reader."""

    def foreign(node: Any) -> list[Any]:
        if isinstance(node, dict):
            odd = [key for key in node if not isinstance(key, str)]
            return odd + [bad for child in node.values() for bad in foreign(child)]
        if isinstance(node, list):
            return [bad for child in node for bad in foreign(child)]
        return [] if isinstance(node, str | bool | int | float) else [node]

    assert foreign(document) == []


def test_every_operation_has_an_id_a_summary_one_tag_and_a_default_response(document):
    tags = {tag["name"] for tag in document["tags"]}

    incomplete = [
        where
        for where, operation in operations(document)
        if not operation.get("operationId")
        or not operation.get("summary", "").strip()
        or len(operation.get("tags", [])) != 1
        or not tags.issuperset(operation["tags"])
        or "default" not in operation["responses"]
        or "security" not in operation
    ]

    assert incomplete == []


def test_operation_ids_are_unique(document):
    names = [operation["operationId"] for _, operation in operations(document)]

    assert len(set(names)) == len(names)


def test_every_json_success_and_every_request_body_has_an_example(document):
    bare = []
    for where, operation in operations(document):
        bodies = [deref(document, operation.get("requestBody", {}))]
        bodies += [
            deref(document, response)
            for status, response in operation["responses"].items()
            if status.startswith("2")
        ]
        for body in bodies:
            for media_type, media in body.get("content", {}).items():
                readable = media_type.endswith("json") or media_type.startswith("multipart/")
                if readable and "example" not in media and not media.get("examples"):
                    bare.append(f"{where} {media_type}")

    assert bare == []


def test_every_example_is_valid_against_its_schema(document):
    found = list(examples(document))
    wrong = {
        where: problems
        for where, schema, value in found
        if (problems := faults(document, schema, value))
    }

    assert found
    assert wrong == {}


def test_a_wrong_example_would_be_noticed(document):
    message = {"$ref": "#/components/schemas/Message"}
    date_time = {"type": "string", "format": "date-time"}

    assert faults(document, message, {"messageId": "1"})
    assert faults(document, date_time, "2026-10-05T14:03:11")
    assert faults(document, {"type": "string"}, None)
    assert not faults(document, {"type": "string", "nullable": True}, None)


def test_every_enterprise_number_in_the_examples_passes_the_checksum(document):
    numbers = {
        number
        for _, _, value in examples(document)
        for text in strings(value)
        for number in re.findall(r"(?<![\w+-])[01][0-9]{9}(?![\w-])", text, re.ASCII)
    }

    assert numbers
    assert {number for number in numbers if not has_checksum(number)} == set()


def test_every_problem_also_holds_what_clients_of_earlier_versions_read(document):
    problem = document["components"]["schemas"]["Problem"]

    assert {"type", "title", "status", "code", "id", "message"} <= set(problem["required"])


def test_problems_in_the_examples_carry_the_status_they_are_given_for(document):
    mismatched = []
    for where, operation in operations(document):
        for status, response in operation["responses"].items():
            content = deref(document, response).get("content", {})
            media = content.get("application/problem+json", {})
            values = [example["value"] for example in media.get("examples", {}).values()]
            values += [media["example"]] if "example" in media else []
            for value in values:
                same_uuid = value["instance"] == f"urn:uuid:{value['id']}"
                if status not in ("default", str(value["status"])) or not same_uuid:
                    mismatched.append(f"{where} {status}")

    assert mismatched == []


def test_answers_never_forbid_a_property_that_a_later_version_may_add(document):
    responses = [operation["responses"] for _, operation in operations(document)]
    schemas = document["components"]["schemas"]

    closed = {
        name
        for name in reached_from(document, responses, set())
        if schemas[name].get("additionalProperties") is False
    }

    assert closed == set()


def test_request_bodies_refuse_unknown_properties_unless_they_say_otherwise(document):
    bodies = [operation.get("requestBody", {}) for _, operation in operations(document)]
    schemas = document["components"]["schemas"]

    # A part of a publication may have any name; a generator that is told so by the word
    # `additionalProperties` gives its client no parameter for files at all.
    forms = {"MessageForm", "ReplyForm"}

    undecided = {
        name
        for name in reached_from(document, bodies, set()) - forms
        if schemas[name].get("type") == "object" and "additionalProperties" not in schemas[name]
    }

    assert undecided == set()


def test_every_component_but_the_answer_to_a_wrong_method_is_used(document):
    used = {node["$ref"] for _, node in nodes(document) if isinstance(node.get("$ref"), str)}
    declared = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        if kind != "securitySchemes"
        for name in components
    }

    assert declared - used == {"#/components/responses/MethodNotAllowed"}


@pytest.mark.skipif(not LINTER.is_file(), reason="the shared linter is not beside this repository")
def test_the_belgian_linter_finds_nothing_unexplained(document):
    spec = importlib.util.spec_from_file_location("belgif_lint", LINTER)
    assert spec
    assert spec.loader
    linter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(linter)

    unexplained = [
        (rule, where, why)
        for rule, where, why in linter.lint(document)
        if not explanation(document, rule, where, why).strip()
    ]

    assert unexplained == []
