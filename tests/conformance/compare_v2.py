"""What our document of version 2.1 says against the facts of the official one.

    python -m tests.conformance.compare_v2 FACTS.json [DOCUMENT.yaml]

prints every difference and ends with 1 if there is any. FACTS.json holds names, types and
constraints of the Swagger 2.0 file: `operations` by method and path, and `definitions`.

Both are brought into one shape, and whatever is left unequal is a difference. The notations that
mean the same:

| Swagger 2.0 | OpenAPI 3.0.3 |
|---|---|
| `type`, `format`, `default`… of a parameter | its `schema` |
| `#/definitions/X` | `#/components/schemas/X`, or `allOf` with that alone |
| siblings of a `$ref` | nothing: a reference has none |
| `in: body` with its name, `consumes` | `requestBody`, `x-body-name`, a content per media type |
| `in: formData`, a required one | a property of a `multipart/form-data` schema, a required body |
| `type: file` | a form field with `type: string`, `format: binary` |
| a form field with `type: string` | that, or a form field whose `encoding` is JSON |
| the schema of a response, and `produces` | a content per media type; of an error always JSON |
| `type: string` of `application/octet-stream` | `type: string`, `format: binary` |
| `implementation`, in words | `x-need`, per kind of e-Box |

Not compared: words (descriptions, summaries, examples), the order of anything, headers of
responses, security, servers, and `x-` extensions other than those above and these two:
`x-addition: true` allows an operation, parameter, response, media type, property or schema that
2.1 does not have, and nothing else; `x-added-required` names properties that only we require.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

Node = dict[str, Any]

OURS: Final = Path(__file__).resolve().parents[2] / "openapi" / "messageregistry-2.1.yaml"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON: Final = "application/json"
FORM: Final = "multipart/form-data"
OCTETS: Final = "application/octet-stream"
BINARY: Final = {"type": "string", "format": "binary"}
ADDITION: Final = "(an addition)"
ABSENT: Final = "(nothing)"
_WORDS: Final = {"description", "summary", "title", "example", "examples"}
_LONGEST: Final = 160  # characters of a value that a difference repeats


def from_facts(facts: Node) -> Node:
    """The facts of 2.1 in the common shape."""
    return {
        "operations": {
            where: _operation_of_facts(operation)
            for where, operation in facts["operations"].items()
        },
        "schemas": {name: _schema(schema) for name, schema in facts["definitions"].items()},
    }


def from_document(document: Node) -> Node:
    """An OpenAPI 3.0.3 document in the common shape."""
    operations = {
        f"{method.upper()} {path}": _operation_of_document(document, item, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }
    schemas = document["components"]["schemas"].items()
    return {"operations": operations, "schemas": {name: _schema(each) for name, each in schemas}}


def differences(facts: Any, ours: Any, where: str = "") -> Iterator[str]:
    """Every place where the two are unequal, unless we declared it an addition."""
    if isinstance(facts, dict) and isinstance(ours, dict):
        for key in sorted(facts.keys() | ours.keys()):
            inner = f"{where} > {key}" if where else key
            yield from differences(facts.get(key, ABSENT), ours.get(key, ABSENT), inner)
    elif (facts, ours) != (ABSENT, ADDITION) and not _equal(facts, ours):
        yield f"{where}: 2.1 has {_told(facts)}, ours has {_told(ours)}"


def main(arguments: list[str]) -> int:
    """Compare the two files named, or the first with ours; the answer is the exit status."""
    if len(arguments) not in (1, 2):
        sys.stderr.write(__doc__ or "")
        return 2
    facts = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    ours = Path(arguments[1]) if arguments[1:] else OURS
    document = yaml.safe_load(ours.read_text(encoding="utf-8"))
    found = list(differences(from_facts(facts), from_document(document)))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


# Swagger 2.0


def _operation_of_facts(operation: Node) -> Node:
    parameters = operation["parameters"]
    return {
        "operationId": operation["operationId"],
        "tags": sorted(operation["tags"]),
        "need": _need(operation["implementation"]),
        "parameters": {
            f"{each['in']} {each['name']}": _parameter_of_facts(each)
            for each in parameters
            if each["in"] not in ("body", "formData")
        },
        "body": _body_of_facts(operation["consumes"], parameters),
        "responses": {
            status: _response_of_facts(status, schema, operation["produces"])
            for status, schema in operation["responses"].items()
        },
    }


def _parameter_of_facts(parameter: Node) -> Node:
    rest = {key: parameter[key] for key in parameter.keys() - {"name", "in", "required"}}
    return {"required": parameter.get("required", False), "schema": _schema(rest)}


def _body_of_facts(consumes: list[str], parameters: list[Node]) -> Any:
    fields = [each for each in parameters if each["in"] == "formData"]
    if fields:
        shape = _form_of_facts(fields)
        return _body(None, "required" in shape, dict.fromkeys(consumes, shape))
    bodies = [each for each in parameters if each["in"] == "body"]
    if not bodies:
        return ABSENT
    (body,) = bodies
    content = dict.fromkeys(consumes, _schema(body["schema"]))
    return _body(body["name"], body.get("required", False), content)


def _form_of_facts(fields: list[Node]) -> Any:
    return _schema(
        {
            "type": "object",
            "required": [field["name"] for field in fields if field.get("required")],
            "properties": {field["name"]: {"type": field["type"]} for field in fields},
        }
    )


def _response_of_facts(status: str, schema: Node, produces: list[str]) -> Node:
    media_types = produces if status.startswith("2") else [JSON]
    return {each: _sent_as(each, schema) for each in media_types if schema}


def _sent_as(media_type: str, schema: Node) -> Any:
    is_binary = (media_type, schema) == (OCTETS, {"type": "string"})
    return BINARY if is_binary else _schema(schema)


def _need(words: str) -> Node:
    """`required for eBox Enterprise and optional for eBox Citizen`, or one word for both."""
    found = re.fullmatch(r"(\w+) for eBox Enterprise and (\w+) for eBox Citizen", words)
    enterprise, citizen = found.groups() if found else (words, words)
    return {"enterprise": enterprise, "citizen": citizen}


# OpenAPI 3.0.3


def _operation_of_document(document: Node, item: Node, operation: Node) -> Any:
    if _is_addition(operation):
        return ADDITION
    given = [*item.get("parameters", ()), *operation.get("parameters", ())]
    parameters = [_resolved(document, each) for each in given]
    responses = operation["responses"].items()
    return {
        "operationId": operation["operationId"],
        "tags": sorted(operation["tags"]),
        "need": operation.get("x-need", ABSENT),
        "parameters": {
            f"{each['in']} {each['name']}": _parameter_of_document(each) for each in parameters
        },
        "body": _body_of_document(_resolved(document, operation.get("requestBody"))),
        "responses": {
            status: _response_of_document(_resolved(document, each)) for status, each in responses
        },
    }


def _parameter_of_document(parameter: Node) -> Any:
    if _is_addition(parameter):
        return ADDITION
    rest = _without_words(parameter).items()
    return {
        **{key: value for key, value in rest if key not in ("name", "in")},
        "required": parameter.get("required", False),
        "schema": _schema(parameter["schema"]),
    }


def _body_of_document(body: Node | None) -> Any:
    if body is None:
        return ABSENT
    return _body(body.get("x-body-name"), body.get("required", False), _content(body))


def _response_of_document(response: Node) -> Any:
    return ADDITION if _is_addition(response) else _content(response)


def _content(holder: Node) -> Node:
    return {
        media_type: ADDITION if _is_addition(media) else _media(media_type, media)
        for media_type, media in holder.get("content", {}).items()
    }


def _media(media_type: str, media: Node) -> Any:
    shape = _schema(media["schema"])
    if media_type != FORM:
        return shape
    as_json = {
        name
        for name, encoding in media.get("encoding", {}).items()
        if encoding.get("contentType", "").startswith(JSON)
    }
    fields = shape.get("properties", {}).items()
    return {
        **shape,
        "properties": {name: _field(field, is_json=name in as_json) for name, field in fields},
    }


def _field(shape: Any, *, is_json: bool) -> Any:
    """A form field as Swagger 2.0 had it."""
    if shape == BINARY:
        return {"type": "file"}
    return {"type": "string"} if is_json and shape != ADDITION else shape


def _resolved(document: Node, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _is_addition(node: Node) -> bool:
    return node.get("x-addition") is True


# Both


def _body(name: str | None, required: bool, content: Node) -> Node:
    return {"name": name, "required": required, "content": content}


def _schema(schema: Node) -> Any:
    """A schema without words, its lists in order, and its references by name."""
    if _is_addition(schema):
        return ADDITION
    reference = _reference(schema)
    if reference:
        return {"$ref": reference}
    plain = _without_words(schema)
    required = set(plain.pop("required", ())) - set(schema.get("x-added-required", ()))
    if required:
        plain["required"] = sorted(required)
    if "enum" in plain:
        plain["enum"] = sorted(plain["enum"])
    if "items" in plain:
        plain["items"] = _schema(plain["items"])
    if "properties" in plain:
        plain["properties"] = {name: _schema(each) for name, each in plain["properties"].items()}
    return plain


def _reference(schema: Node) -> str:
    """The name of what the schema refers to and is nothing but; else an empty text."""
    parts = schema.get("allOf", ())
    is_only_that = len(parts) == 1 and _without_words(schema).keys() == {"allOf"}
    target = parts[0].get("$ref", "") if is_only_that else schema.get("$ref", "")
    return str(target).rpartition("/")[2]


def _without_words(node: Node) -> Node:
    return {
        key: value for key, value in node.items() if key not in _WORDS and not key.startswith("x-")
    }


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON has it: true is no number, 1.0 is 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _told(value: Any) -> str:
    text = value if value in (ABSENT, ADDITION) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
