"""What we read from paths and queries is what the document describes, and no more."""

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.api.v3.schemas.parameters import (
    MessageQuerySchema,
    PageSchema,
    PartitionsSchema,
    PathSchema,
)
from tests.conformance.validation import DOCUMENT, implemented, resolved, validator

QUERIES = {
    "listMessages": MessageQuerySchema,
    "getStatistics": PartitionsSchema,
    "listMessageTypes": PageSchema,
    "listSenderApplications": PageSchema,
    "listSenderOrganizations": PageSchema,
    "listMessageTemplates": PageSchema,
}
OPERATIONS = {
    operation["operationId"]: operation
    for method, path in sorted(implemented())
    for operation in [DOCUMENT["paths"][path][method.lower()]]
}


def parameters(operation, where):
    found = map(resolved, OPERATIONS[operation].get("parameters", []))
    return {parameter["name"]: parameter for parameter in found if parameter["in"] == where}


PATH = {name: found for each in OPERATIONS for name, found in parameters(each, "path").items()}
QUERY = [
    pytest.param(schema, name, parameter, id=f"{operation}-{name}")
    for operation, schema in QUERIES.items()
    for name, parameter in parameters(operation, "query").items()
]
ASKED = [*QUERY, *(pytest.param(PathSchema, name, PATH[name], id=name) for name in PATH)]


# How a number may not be written in JSON, on which the document therefore says nothing.
NO_JSON_NUMBER = re.compile(r"-?0\d+|-0|-?\d{19,}", re.ASCII)


def sent(parameter, text):
    """The value as a schema gets it: a parameter that may be repeated is a list."""
    return [text] if resolved(parameter["schema"]).get("type") == "array" else text


def is_accepted(schema, name, value):
    """Whether our schema has nothing to say against the parameter."""
    faults = schema().validate({name: value} | ({"qlang": "nl"} if name == "q" else {}))
    assert set(faults) <= {name}
    return not faults


def is_described(parameter, text):
    """Whether the document allows this text as the parameter's value."""
    kind = resolved(parameter["schema"]).get("type")
    value = text
    if kind == "integer":
        value = int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else text
    elif kind == "boolean":
        value = {"true": True, "false": False}.get(text, text)
    elif kind == "array":
        value = [text]
    return validator(json.dumps({"schema": parameter["schema"]})).is_valid(value)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_reads_the_queries_that_are_described_and_no_other(operation):
    schema = QUERIES.get(operation)
    read = {field.data_key or name for name, field in schema().fields.items()} if schema else set()

    assert read == set(parameters(operation, "query"))


def test_the_path_parameters_are_those_that_are_described():
    read = {field.data_key or name for name, field in PathSchema().fields.items()}

    assert read == set(PATH)


# Values at the edge of some parameter or other.
ODD = [
    *("true", "false", "True", "1", "on", "null", "", " "),
    *("nl", "fr", "de", "en", "NL"),
    *("-1", "0", "1", "100", "101", "2147483647", "2147483648", "1.0", "+1", " 1", "1e1"),
    *("0206731645\n", "٠٢٠٦٧٣١٦٤٥", "a\x85b"),
    *("2026-02-29", "2026-1-1", "2026-W01-1", "20260101", "2026-01-01T00:00:00Z"),
    *("x" * length for length in (64, 65, 100, 101, 200, 201)),
    *("é" * length for length in (200, 201)),
]


@pytest.mark.parametrize(("schema", "name", "parameter"), ASKED)
def test_a_value_at_the_edge_is_accepted_exactly_when_the_document_allows_it(
    schema, name, parameter
):
    agreed = {
        text: (is_accepted(schema, name, sent(parameter, text)), is_described(parameter, text))
        for text in ODD
    }

    assert {text: both for text, both in agreed.items() if both[0] != both[1]} == {}


@pytest.mark.parametrize(("schema", "name", "parameter"), ASKED)
@given(
    st.one_of(
        st.text(max_size=5),
        st.text(st.characters(codec="ascii"), max_size=250),
        st.from_regex(r"[A-Za-z0-9_.-]{1,120}", fullmatch=True),
        st.integers().map(str),
        st.integers(-2, 102).map(str),
        st.integers(2**31 - 2, 2**31 + 1).map(str),
        st.dates().map(str),
        st.uuids().map(str),
        st.uuids().map(lambda identifier: str(identifier).upper()),
        st.from_regex(r"[0-2]\d{8,10}", fullmatch=True),
    )
)
def test_a_value_is_accepted_exactly_when_the_document_allows_it(schema, name, parameter, text):
    assume(not NO_JSON_NUMBER.fullmatch(text))

    assert is_accepted(schema, name, sent(parameter, text)) == is_described(parameter, text)


@pytest.mark.parametrize("count", [0, 1, 100, 101])
@pytest.mark.parametrize("schema", [MessageQuerySchema, PartitionsSchema])
def test_a_parameter_is_repeated_as_often_as_the_document_allows(schema, count):
    values = [f"p{number}" for number in range(count)]
    media = json.dumps({"schema": parameters("getStatistics", "query")["partition"]["schema"]})

    assert is_accepted(schema, "partition", values) == validator(media).is_valid(values)


@pytest.mark.parametrize(("name", "default"), [("page", 1), ("pageSize", 25)])
def test_what_is_not_given_is_what_the_document_says(name, default):
    page = PageSchema().load({})

    assert DOCUMENT["components"]["parameters"][name[0].upper() + name[1:]]["schema"][
        "default"
    ] == (default)
    assert {"page": page.number, "pageSize": page.size}[name] == default
