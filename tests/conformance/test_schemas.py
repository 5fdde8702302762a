"""Our schemas and the document say the same: names, what is required, types, enumerations."""

import re
from inspect import isclass

import pytest
from marshmallow import Schema, fields
from sqlalchemy import CheckConstraint

from registry.api.fields import Happened, Href, Instant, Kilobytes, Listing, Shown, Translated
from registry.api.v3.schemas import messages, reference
from registry.domain.attachments import DIGEST_METHOD, MEDIA_TYPES
from registry.domain.identifiers import EboxKind
from registry.domain.languages import LANGUAGES
from registry.store.reference import message_types
from tests.conformance.validation import DOCUMENT, resolved

COMPONENTS = DOCUMENT["components"]["schemas"]
# What the document calls otherwise than we do.
CALLED = {"Attention": "AttentionOf", "Action": "MessageAction", "Validity": "ValidityPeriod"}
SHOWN = {
    schema
    for module in (messages, reference)
    for schema in vars(module).values()
    if isclass(schema) and issubclass(schema, Schema) and schema.__module__ == module.__name__
}
MEMBERS = [
    pytest.param(schema, name, field, id=f"{schema.__name__}.{name}")
    for schema in sorted(SHOWN, key=lambda schema: schema.__name__)
    for name, field in ((f.data_key or n, f) for n, f in schema().fields.items())
]
PLAIN = (  # the first that fits: what a member is on the wire
    (Instant, {"type": "string", "format": "date-time"}),
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (Href, {"type": "string", "format": "uri"}),
    (Happened, {"type": "boolean"}),
    (fields.Boolean, {"type": "boolean"}),
    (Kilobytes, {"type": "number"}),
    (fields.Integer, {"type": "integer"}),
    (fields.Dict, {"type": "object"}),
    (fields.String, {"type": "string"}),
)


def component_of(schema):
    name = schema.__name__.removesuffix("Schema")
    return CALLED.get(name, name)


def described(node):
    """A property's schema, with the name of the component that it is, if it is one."""
    while len(node.get("allOf", ())) == 1:
        (node,) = node["allOf"]
    name = node.get("$ref", "").rpartition("/")[2] or None
    return name, resolved(node)


def is_list_of(node, item):
    return set(node["required"]) == {"items", "totalItems"} and (
        described(node["properties"]["items"]["items"])[0] == component_of(item)
    )


def test_every_schema_shows_only_what_has_a_value():
    assert SHOWN
    assert {schema for schema in SHOWN if not issubclass(schema, Shown)} == set()


@pytest.mark.parametrize("schema", sorted(SHOWN, key=lambda schema: schema.__name__))
def test_a_schema_has_the_names_and_the_duties_of_its_component(schema):
    component = COMPONENTS[component_of(schema)]
    members = {field.data_key or name: field for name, field in schema().fields.items()}

    assert set(members) == set(component["properties"])
    assert {name for name, field in members.items() if field.required} == set(
        component.get("required", ())
    )


@pytest.mark.parametrize(("schema", "name", "field"), MEMBERS)
def test_a_member_has_the_type_that_is_described(schema, name, field):
    component, node = described(COMPONENTS[component_of(schema)]["properties"][name])

    if isinstance(field, Translated):
        assert component == "TranslatedString"
    elif isinstance(field, Listing):
        assert is_list_of(node, field.item)
    elif isinstance(field, fields.Nested):
        assert component == component_of(type(field.schema))
    elif isinstance(field, fields.Constant):
        assert node["enum"] == [field.constant]
    elif isinstance(field, fields.List):
        assert node["type"] == "array"
        items = described(node["items"])
        if isinstance(field.inner, fields.Nested):
            assert items[0] == component_of(type(field.inner.schema))
        elif isinstance(field.inner, Translated):
            assert items[0] == "TranslatedString"
        else:
            assert items[1]["type"] == "string"
    else:
        expected = next(shape for kind, shape in PLAIN if isinstance(field, kind))
        assert expected.items() <= node.items() or expected == {"type": node["type"]}


@pytest.mark.parametrize(
    ("component", "values"),
    [
        ("Language", LANGUAGES),
        ("EboxType", EboxKind),
        ("AttachmentMediaType", MEDIA_TYPES),
        ("DigestMethod", [DIGEST_METHOD]),
    ],
)
def test_an_enumeration_is_the_one_of_the_domain(component, values):
    assert COMPONENTS[component]["enum"] == list(values)


def test_a_text_is_shown_in_the_languages_that_are_described():
    assert COMPONENTS["TranslatedString"]["required"] == list(LANGUAGES)


def test_units_of_validity_are_those_the_database_accepts():
    units = COMPONENTS["ValidityPeriod"]["properties"]["validityPeriodUnit"]["enum"]
    (rule,) = (
        str(check.sqltext)
        for check in message_types.constraints
        if isinstance(check, CheckConstraint)
    )

    assert re.findall(r"'(\w+)'", rule) == units
