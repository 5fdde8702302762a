"""What we read from paths and queries is what the document describes, and no more."""

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.api.requests.parameter_fields import INT32, NOWHERE
from registry.api.v2.schemas import parameters as parameters_2
from registry.api.v3.schemas.parameters import (
    MessageQuerySchema,
    PageSchema,
    PartitionsSchema,
    PathSchema,
)
from tests.conformance.validation import VERSION_2, VERSION_3

QUERIES = {
    "listMessages": MessageQuerySchema,
    "getStatistics": PartitionsSchema,
    "listMessageTypes": PageSchema,
    "listSenderApplications": PageSchema,
    "listSenderOrganizations": PageSchema,
    "listMessageTemplates": PageSchema,
}
QUERIES_2 = {
    "getMessagesByEBoxId": parameters_2.MessageQuerySchema,
    "getAllMessagesTypes": parameters_2.PageSchema,
    "findAllSenderApplications": parameters_2.PageSchema,
    "findAllSenderOrganizations": parameters_2.PageSchema,
}
READ = {"3": (VERSION_3, QUERIES, PathSchema), "2": (VERSION_2, QUERIES_2, parameters_2.PathSchema)}


def operations(contract):
    """Every operation that is served, by its name."""
    return {
        operation["operationId"]: operation
        for method, path in sorted(contract.implemented())
        for operation in [contract.document["paths"][path][method.lower()]]
    }


OPERATIONS = [
    pytest.param(version, name, id=f"{version}-{name}")
    for version, (contract, *_) in READ.items()
    for name in operations(contract)
]


def parameters(contract, operation, where):
    found = map(contract.resolved, operations(contract)[operation].get("parameters", []))
    return {parameter["name"]: parameter for parameter in found if parameter["in"] == where}


def path_parameters(contract):
    return {
        name: parameter
        for operation in operations(contract)
        for name, parameter in parameters(contract, operation, "path").items()
    }


QUERY = [
    pytest.param(contract, schema, name, parameter, id=f"{version}-{operation}-{name}")
    for version, (contract, queries, _) in READ.items()
    for operation, schema in queries.items()
    for name, parameter in parameters(contract, operation, "query").items()
    if (version, name) != ("2", "qlang")  # 2.1 has no word for it that it is nl, fr or de
]
PATH = [
    pytest.param(contract, schema, name, parameter, id=f"{version}-{name}")
    for version, (contract, _, schema) in READ.items()
    for name, parameter in path_parameters(contract).items()
]
ASKED = [*QUERY, *PATH]


# How a number may not be written in JSON, on which the document therefore says nothing.
NO_JSON_NUMBER = re.compile(r"-?0\d+|-0|-?\d{19,}", re.ASCII)


def sent(contract, parameter, text):
    """The value as a schema gets it: a parameter that may be repeated is a list."""
    return [text] if contract.resolved(parameter["schema"]).get("type") == "array" else text


def is_accepted(schema, name, value):
    """Whether our schema takes the parameter for what it is.

    In a path of version 3, whatever does not fit is the id of nothing (contract 6.6).
    """
    if schema is PathSchema:
        (loaded,) = schema().load({name: value}).values()
        return loaded not in ("", NOWHERE)
    faults = schema().validate({name: value} | ({"qlang": "nl"} if name == "q" else {}))
    assert set(faults) <= {name}
    return not faults


def is_described(contract, parameter, text):
    """Whether the document allows this text as the parameter's value."""
    shape = contract.resolved(parameter["schema"])
    kind = shape.get("type")
    value = text
    if kind == "integer":
        value = int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else text
        if shape.get("format") == "int32" and value != text and value > INT32:
            return False
    elif kind == "boolean":
        value = {"true": True, "false": False}.get(text, text)
    elif kind == "array":
        value = [text]
    return contract.validator(json.dumps({"schema": parameter["schema"]})).is_valid(value)


@pytest.mark.parametrize(("version", "operation"), OPERATIONS)
def test_an_operation_reads_the_queries_that_are_described_and_no_other(version, operation):
    contract, queries, _ = READ[version]
    schema = queries.get(operation)
    read = {field.data_key or name for name, field in schema().fields.items()} if schema else set()

    assert read == set(parameters(contract, operation, "query"))


@pytest.mark.parametrize("version", READ)
def test_the_path_parameters_are_those_that_are_described(version):
    contract, _, schema = READ[version]
    read = {field.data_key or name for name, field in schema().fields.items()}

    assert read == set(path_parameters(contract))


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


@pytest.mark.parametrize(("contract", "schema", "name", "parameter"), ASKED)
def test_a_value_at_the_edge_is_accepted_exactly_when_the_document_allows_it(
    contract, schema, name, parameter
):
    agreed = {
        text: (
            is_accepted(schema, name, sent(contract, parameter, text)),
            is_described(contract, parameter, text),
        )
        for text in ODD
    }

    assert {text: both for text, both in agreed.items() if both[0] != both[1]} == {}


@pytest.mark.parametrize(("contract", "schema", "name", "parameter"), ASKED)
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
def test_a_value_is_accepted_exactly_when_the_document_allows_it(
    contract, schema, name, parameter, text
):
    assume(not NO_JSON_NUMBER.fullmatch(text))

    accepted = is_accepted(schema, name, sent(contract, parameter, text))

    assert accepted == is_described(contract, parameter, text)


@pytest.mark.parametrize("count", [0, 1, 100, 101])
@pytest.mark.parametrize("schema", [MessageQuerySchema, PartitionsSchema])
def test_a_parameter_is_repeated_as_often_as_the_document_allows(schema, count):
    values = [f"p{number}" for number in range(count)]
    partition = parameters(VERSION_3, "getStatistics", "query")["partition"]
    media = json.dumps({"schema": partition["schema"]})

    assert is_accepted(schema, "partition", values) == VERSION_3.validator(media).is_valid(values)


@pytest.mark.parametrize(("name", "default"), [("page", 1), ("pageSize", 25)])
@pytest.mark.parametrize(
    ("contract", "schema"), [(VERSION_3, PageSchema), (VERSION_2, parameters_2.PageSchema)]
)
def test_what_is_not_given_is_what_the_document_says(contract, schema, name, default):
    page = schema().load({})

    described = contract.document["components"]["parameters"][name[0].upper() + name[1:]]
    assert described["schema"]["default"] == default
    assert {"page": page.number, "pageSize": page.size}[name] == default


@pytest.mark.parametrize(("language", "is_one"), [("nl", True), ("en", False), ("", False)])
def test_version_2_searches_in_the_languages_that_its_document_names(language, is_one):
    faults = parameters_2.MessageQuerySchema().validate({"q": "x", "qlang": language})

    assert (faults == {}) == is_one
    assert (
        "nl, fr or de"
        in parameters(VERSION_2, "getMessagesByEBoxId", "query")["qlang"]["description"]
    )
