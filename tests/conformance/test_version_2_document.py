"""The document of version 2.1 is sound in itself, and says what the official one says.

The comparison is proved as well: whatever is changed in our document, it notices.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml
from openapi_spec_validator import validate

from tests.conformance.compare_v2 import (
    OURS,
    differences,
    from_document,
    from_facts,
    main,
)
from tests.conformance.test_document import (
    deref,
    examples,
    faults,
    has_checksum,
    nodes,
    operations,
    strings,
)

ROOT: Final = Path(__file__).resolve().parents[2]
FACTS: Final = ROOT.parent / "shared" / "contract" / "messageregistry-2.1.json"
CONSULT: Final = "scope:document:management:consult:ws-eboxrestentreprise:"

# Known to everybody who speaks 2.1, with the facts at hand or without.
OPERATIONS: Final = {
    "getEBoxById": "GET /ebox",
    "getMessagesByEBoxId": "GET /ebox/messages",
    "patchMessagesByEBoxId": "PATCH /ebox/messages",
    "getMessageById": "GET /ebox/messages/{messageId}",
    "getAttachmentByMessageId": "GET /ebox/messages/{messageId}/attachments",
    "getAttachmentById": "GET /ebox/messages/{messageId}/attachments/{attachmentId}",
    "getAttachmentContentById": (
        "GET /ebox/messages/{messageId}/attachments/{attachmentId}/content"
    ),
    "getBodyContent": "GET /ebox/messages/{messageId}/body",
    "getPaymentDataByMessageId": "GET /ebox/messages/{messageId}/paymentData",
    "postMessage": "POST /publishMessage",
    "linkMessage": "POST /linkEboxMessage",
    "getStatus": "POST /searchMessageStatus",
    "getAllMessagesTypes": "GET /referenceData/messageTypes",
    "getMessageTypeById": "GET /referenceData/messageTypes/{messageTypeId}",
    "findAllSenderApplications": "GET /referenceData/senderApplications",
    "getSenderApplicationById": "GET /referenceData/senderApplications/{senderApplicationId}",
    "getImageForSenderApplication": (
        "GET /referenceData/senderApplications/{senderApplicationId}/images/{imageId}/content"
    ),
    "findAllSenderOrganizations": "GET /referenceData/senderOrganizations",
    "getSenderOrganizationById": "GET /referenceData/senderOrganizations/{senderOrganizationId}",
    "getImageForSenderOrganization": (
        "GET /referenceData/senderOrganizations/{senderOrganizationId}/images/{imageId}/content"
    ),
}
SCOPES: Final = {
    "/ebox": {"summaryownebox", "summaryallebox", "documentconsumer"},
    "/ebox/messages": {"messagesfull", "documentconsumer"},
    "/referenceData": {"referencedata", "documentconsumer"},
}
CONSUMERS_REPLY: Final = f"{CONSULT}documentconsumer"  # by publishing (contract 6.15)
PUBLICATION: Final = {
    f"{CONSULT}publicationsender",
    f"{CONSULT}eboxrepresentativepublication",
    "scope:document:management:ws-eboxrestentreprise:eboxrepresentativepublication",
}

Node = dict[str, Any]

LISTING: Final = ("paths", "/ebox/messages", "get")
PAGE_SIZE: Final = ("components", "parameters", "PageSize", "schema")
MESSAGE: Final = ("components", "schemas", "Message")
FORM: Final = (
    *("paths", "/publishMessage", "post", "requestBody"),
    *("content", "multipart/form-data", "schema"),
)
# What is done to a copy of the document: where, and which member becomes what (None: it goes).
TAMPERINGS: Final = {
    "an operation is removed": (("paths", "/ebox/messages"), "patch", None),
    "an operation is added": (
        ("paths", "/ebox"),
        "delete",
        {"operationId": "deleteEbox", "tags": ["Ebox"], "responses": {}},
    ),
    "a path is removed": (("paths",), "/ebox", None),
    "an operationId is renamed": (LISTING, "operationId", "listMessages"),
    "a tag is renamed": (LISTING, "tags", ["Ebox"]),
    "an operation is needed": (LISTING, "x-need", {"enterprise": "required"}),
    "a parameter is removed": (LISTING, "parameters", []),
    "a parameter is renamed": (("components", "parameters", "ReadStatus"), "name", "isRead"),
    "a parameter changes place": (("components", "parameters", "Page"), "in", "header"),
    "a parameter is required": (("components", "parameters", "Page"), "required", True),
    "a default is changed": (PAGE_SIZE, "default", 20),
    "a bound is changed": (PAGE_SIZE, "maximum", 101),
    "a bound is removed": (PAGE_SIZE, "minimum", None),
    "a bound is added": (PAGE_SIZE, "multipleOf", 5),
    "a property is removed": ((*MESSAGE, "properties"), "visible", None),
    "a property is added": ((*MESSAGE, "properties"), "partition", {"type": "string"}),
    "a type is changed": ((*MESSAGE, "properties", "messageId"), "type", "integer"),
    "a default is no boolean": ((*MESSAGE, "properties", "readStatus"), "default", 0),
    "a pattern is anchored": (
        (*MESSAGE, "properties", "senderOrganizationId"),
        "pattern",
        "^[0-1][0-9]{9}$",
    ),
    "a reference is another": (
        (*MESSAGE, "properties", "subject"),
        "$ref",
        "#/components/schemas/EboxId",
    ),
    "a reference is narrowed": ((*MESSAGE, "properties", "attachments"), "nullable", True),
    "an enum value is dropped": (
        ("components", "schemas", "EboxId", "properties", "eboxType"),
        "enum",
        ["enterprise"],
    ),
    "a property is no more required": (MESSAGE, "required", ["messageId"]),
    "a property is required": (
        ("components", "schemas", "ForTheAttentionOf"),
        "required",
        ["id"],
    ),
    "a format is changed": (
        ("components", "schemas", "Attachment", "properties", "size"),
        "format",
        "float",
    ),
    "a status is removed": ((*LISTING, "responses"), "404", None),
    "a status is added": ((*LISTING, "responses"), "204", {"description": "Nothing."}),
    "a schema is removed": (("components", "schemas"), "Detail", None),
    "a schema is added": (("components", "schemas"), "Partition", {"type": "string"}),
    "an answer changes its media type": (
        (*LISTING, "responses", "200"),
        "content",
        {"text/plain": {"schema": {"$ref": "#/components/schemas/Messages"}}},
    ),
    "an error is problem+json": (
        ("components", "responses", "NotFound"),
        "content",
        {"application/problem+json": {"schema": {"$ref": "#/components/schemas/StatusMessage"}}},
    ),
    "a body is renamed": (
        ("paths", "/linkEboxMessage", "post", "requestBody"),
        "x-body-name",
        "message",
    ),
    "a body is required": (("paths", "/linkEboxMessage", "post", "requestBody"), "required", True),
    "a form field is removed": ((*FORM, "properties"), "upfile6", None),
    "a form field is added": ((*FORM, "properties"), "upfile7", {"type": "string"}),
    "a form field is no file": ((*FORM, "properties", "upfile1"), "format", None),
    "a form field is required": (FORM, "required", ["messageToPublish", "upfile1"]),
    "what 2.1 has is called an addition": (LISTING, "x-addition", True),
    "what 2.1 requires is called added": (MESSAGE, "x-added-required", ["subject"]),
}
# Additions that are declared, and words: no difference.
HARMLESS: Final = {
    "an operation": (
        ("paths", "/ebox"),
        "delete",
        {"operationId": "deleteEbox", "x-addition": True, "responses": {}},
    ),
    "a parameter": (
        ("paths", "/ebox", "get"),
        "parameters",
        [
            {"$ref": "#/components/parameters/OnBehalfOf"},
            {"name": "n", "in": "query", "schema": {"type": "string"}, "x-addition": True},
        ],
    ),
    "a status": (
        (*LISTING, "responses"),
        "204",
        {"description": "Nothing.", "x-addition": True},
    ),
    "a media type": (
        (*LISTING, "responses", "200", "content"),
        "text/csv",
        {"schema": {"type": "string"}, "x-addition": True},
    ),
    "a property": (
        (*MESSAGE, "properties"),
        "partition",
        {"type": "string", "x-addition": True},
    ),
    "a form field": (
        (*FORM, "properties"),
        "upfile7",
        {"type": "string", "format": "binary", "x-addition": True},
    ),
    "a schema": (
        ("components", "schemas"),
        "Partition",
        {"type": "string", "x-addition": True},
    ),
    "a description": (MESSAGE, "description", "Other words."),
    "an example": (PAGE_SIZE, "example", 50),
}
# The same small interface in both notations.
SWAGGER: Final = {
    "operations": {
        "POST /messages": {
            "operationId": "send",
            "tags": ["Messages"],
            "implementation": "required for eBox Enterprise and optional for eBox Citizen",
            "consumes": ["multipart/form-data"],
            "produces": ["application/json"],
            "parameters": [
                {"in": "formData", "name": "text", "type": "string", "required": True},
                {"in": "formData", "name": "file", "type": "file", "required": False},
            ],
            "responses": {"201": {"$ref": "#/definitions/A", "type": "object"}},
        },
        "PATCH /messages": {
            "operationId": "change",
            "tags": ["Messages"],
            "implementation": "optional",
            "consumes": ["application/json", "application/merge-patch+json"],
            "produces": [],
            "parameters": [{"in": "body", "name": "a", "schema": {"$ref": "#/definitions/A"}}],
            "responses": {"200": {}, "404": {"$ref": "#/definitions/A"}},
        },
        "GET /messages/{id}": {
            "operationId": "read",
            "tags": ["Messages"],
            "implementation": "required",
            "consumes": [],
            "produces": ["application/octet-stream"],
            "parameters": [
                {"in": "path", "name": "id", "type": "string", "required": True},
                {"in": "query", "name": "n", "type": "integer", "minimum": 1.0, "default": 1},
            ],
            "responses": {"200": {"type": "string"}},
        },
    },
    "definitions": {"A": {"type": "object", "required": ["b", "a"], "properties": {}}},
}
OPENAPI: Final = """
paths:
  /messages:
    post:
      operationId: send
      tags: [Messages]
      x-need: {enterprise: required, citizen: optional}
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [text]
              properties:
                text: {$ref: '#/components/schemas/A'}
                file: {type: string, format: binary}
            encoding:
              text: {contentType: application/json}
      responses:
        '201': {description: Sent., content: {application/json: {schema: {$ref: '#/c/s/A'}}}}
    patch:
      operationId: change
      tags: [Messages]
      x-need: {enterprise: optional, citizen: optional}
      requestBody:
        x-body-name: a
        content:
          application/json: {schema: {$ref: '#/c/s/A'}}
          application/merge-patch+json: {schema: {allOf: [{$ref: '#/c/s/A'}], description: An A.}}
      responses:
        '200': {description: Changed.}
        '404': {$ref: '#/components/responses/NotFound'}
  /messages/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    get:
      operationId: read
      tags: [Messages]
      x-need: {enterprise: required, citizen: required}
      parameters:
        - {name: n, in: query, schema: {type: integer, minimum: 1, default: 1}}
      responses:
        '200':
          description: The bytes.
          content: {application/octet-stream: {schema: {type: string, format: binary}}}
components:
  responses:
    NotFound: {description: No., content: {application/json: {schema: {$ref: '#/c/s/A'}}}}
  schemas:
    A: {type: object, required: [a, b, c], x-added-required: [c], properties: {}}
"""


@pytest.fixture(scope="module")
def document() -> Node:
    return yaml.safe_load(OURS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def official(document) -> Node:
    """What 2.1 says; without the facts at hand, what our own document says of it."""
    if FACTS.is_file():
        return from_facts(json.loads(FACTS.read_text(encoding="utf-8")))
    return from_document(document)


def changed(document: Node, place: tuple[str, ...], member: str, value: Any) -> Node:
    """A copy of the document in which one member is another, or is gone."""
    copy = deepcopy(document)
    node = copy
    for step in place:
        node = node[step]
    if value is None:
        del node[member]
    else:
        node[member] = value
    return copy


def values_within(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each text, number and boolean of the facts stands."""
    if isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from values_within(child, (*place, key))
    else:
        yield place


def another(value: Any) -> Any:
    """A value of the same type."""
    if isinstance(value, bool):
        return not value
    return f"{value}x" if isinstance(value, str) else value + 1


def scopes(operation: Node) -> set[str]:
    return {scope for way in operation["security"] for each in way.values() for scope in each}


def test_the_document_is_valid_openapi(document):
    validate(document)


def test_the_document_says_what_it_is(document):
    info = document["info"]

    assert document["openapi"] == "3.0.3"
    assert info["title"] == "e-Box MessageRegistry"
    assert info["version"] == "2.1.0"
    assert "Version 3 is the one to use" in info["description"]
    assert {urlsplit(server["url"]).path for server in document["servers"]} == {
        "/REST/ebox/enterprise/messageRegistry/v2",
        "/REST/ebox/citizen/messageRegistry/v2",
    }


@pytest.mark.skipif(not FACTS.is_file(), reason="the facts of 2.1 are not beside this repository")
def test_the_document_says_what_the_official_one_says(document):
    facts = json.loads(FACTS.read_text(encoding="utf-8"))

    assert list(differences(from_facts(facts), from_document(document))) == []


def test_the_twenty_operations_are_there_under_their_names(document):
    ours = {
        operation["operationId"]: where
        for where, operation in operations(document)
        if not operation.get("x-addition")
    }

    assert ours == OPERATIONS


def test_the_parts_of_a_publication_are_those_of_a_form(document):
    (media,) = document["paths"]["/publishMessage"]["post"]["requestBody"]["content"].values()
    noted = {name: field["x-swagger-type"] for name, field in media["schema"]["properties"].items()}

    assert noted == {"messageToPublish": "string"} | {f"upfile{n}": "file" for n in range(1, 7)}


def test_an_operation_opens_to_the_scopes_of_its_group(document):
    for where, operation in operations(document):
        method, path = where.split()
        group = next((key for key in sorted(SCOPES, reverse=True) if path.startswith(key)), "")
        expected = {f"{CONSULT}{name}" for name in SCOPES[group]} if group else PUBLICATION
        if operation.get("x-addition"):
            assert operation["security"] == [], where
            continue
        replies = {CONSUMERS_REPLY} if path == "/publishMessage" else set()
        assert scopes(operation) == expected | replies, where
        assert (method == "POST") == (expected == PUBLICATION)


def test_every_error_but_bad_health_is_a_status_message(document):
    wrong = [
        f"{where} {status}"
        for where, operation in operations(document)
        for status, response in operation["responses"].items()
        if status[0] in "45d"
        and response != {"$ref": "#/components/responses/Down"}
        and {
            media_type: media["schema"]
            for media_type, media in deref(document, response)["content"].items()
        }
        # Where the answer would be bytes, the client may take nothing else.
        != {
            media_type: {"$ref": "#/components/schemas/StatusMessage"}
            for media_type in (
                "application/json",
                *(["application/octet-stream"] if where.endswith("/content") else []),
            )
        }
    ]

    assert wrong == []


def test_every_success_with_a_body_and_every_request_body_has_an_example(document):
    bare = []
    for where, operation in operations(document):
        success = [each for status, each in operation["responses"].items() if status in "200 201"]
        for holder in [*success, operation.get("requestBody", {})]:
            bare += [
                f"{where} {media_type}"
                for media_type, media in holder.get("content", {}).items()
                if not media.keys() & {"example", "examples"}
            ]

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


def test_every_enterprise_number_in_the_examples_passes_the_checksum(document):
    texts = {text for _, _, value in examples(document) for text in strings(value)}
    numbers = {text for text in texts if len(text) == 10 and text.isdecimal()}

    assert numbers
    assert {number for number in numbers if not has_checksum(number)} == set()


def test_every_component_but_two_is_used(document):
    """2.1 declares `Detail` for nothing; a wrong method is answered on any path."""
    used = {node["$ref"] for _, node in nodes(document) if isinstance(node.get("$ref"), str)}
    declared = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        if kind != "securitySchemes"
        for name in components
    }

    assert declared - used == {
        "#/components/responses/MethodNotAllowed",
        "#/components/schemas/Detail",
    }


@pytest.mark.parametrize(("place", "member", "value"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_the_comparison_notices_when(document, official, place, member, value):
    tampered = changed(document, place, member, value)

    assert list(differences(official, from_document(tampered)))


@pytest.mark.skipif(not FACTS.is_file(), reason="the facts of 2.1 are not beside this repository")
def test_no_value_of_the_facts_can_be_another_without_notice(document):
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    ours = from_document(document)
    unnoticed = []
    for *place, last in values_within({key: facts[key] for key in ("operations", "definitions")}):
        node = facts
        for step in place:
            node = node[step]
        value = node[last]
        node[last] = another(value)
        if not any(differences(from_facts(facts), ours)):
            unnoticed.append((*place, last))
        node[last] = value

    # A sibling of a `$ref`, which Swagger 2.0 says is to be ignored.
    assert unnoticed == [("definitions", "MessageToPublish", "properties", "paymentData", "type")]


@pytest.mark.parametrize(("place", "member", "value"), HARMLESS.values(), ids=HARMLESS)
def test_the_comparison_allows(document, official, place, member, value):
    added = changed(document, place, member, value)

    assert list(differences(official, from_document(added))) == []


def test_the_two_notations_of_one_interface_are_equal():
    ours = from_document(yaml.safe_load(OPENAPI))

    assert list(differences(from_facts(SWAGGER), ours)) == []


@pytest.mark.parametrize("method", ["POST /messages", "PATCH /messages", "GET /messages/{id}"])
def test_a_difference_is_noticed_whichever_side_lacks_the_operation(method):
    ours = from_document(yaml.safe_load(OPENAPI))
    fewer = {key: each for key, each in SWAGGER["operations"].items() if key != method}

    (found,) = differences(from_facts({**SWAGGER, "operations": fewer}), ours)

    assert found.startswith(f"operations > {method}: 2.1 has (nothing), ours has")


def test_the_script_prints_each_difference_and_fails(tmp_path, capsys):
    facts, ours = tmp_path / "facts.json", tmp_path / "ours.yaml"
    facts.write_text(json.dumps(SWAGGER))
    ours.write_text(OPENAPI.replace("operationId: read", "operationId: get"))

    assert main([str(facts), str(ours)]) == 1
    assert capsys.readouterr().out == (
        'operations > GET /messages/{id} > operationId: 2.1 has "read", ours has "get"\n'
    )


def test_the_script_is_content_without_difference(tmp_path, capsys):
    facts, ours = tmp_path / "facts.json", tmp_path / "ours.yaml"
    facts.write_text(json.dumps(SWAGGER))
    ours.write_text(OPENAPI)

    assert main([str(facts), str(ours)]) == 0
    assert capsys.readouterr().out == ""


def test_the_script_tells_how_it_is_called():
    told = subprocess.run(
        [sys.executable, "-m", "tests.conformance.compare_v2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 2
    assert "FACTS.json" in told.stderr
