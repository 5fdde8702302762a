"""Our schemas and the documents say the same: names, what is required, types, enumerations."""

import re
from dataclasses import dataclass, field
from inspect import isclass
from typing import Any

import pytest
from marshmallow import Schema, fields
from sqlalchemy import CheckConstraint

from registry.api.responses.fields import (
    Amount,
    AnswerSchema,
    HasInstant,
    Href,
    Instant,
    Kilobytes,
    Listing,
    TranslatedText,
)
from registry.api.v2.schemas import messages as messages_2
from registry.api.v2.schemas import receipts as receipts_2
from registry.api.v2.schemas import reference as reference_2
from registry.api.v3.schemas import messages, reference
from registry.domain.attachments import DIGEST_METHOD, MEDIA_TYPES
from registry.domain.identifiers import EboxKind
from registry.domain.languages import LANGUAGES
from registry.store.reference import message_types
from tests.conformance.validation import DOCUMENT, VERSION_2, VERSION_3, Contract

COMPONENTS = DOCUMENT["components"]["schemas"]
PLAIN = (  # the first that fits: what a member is on the wire
    (Instant, {"type": "string", "format": "date-time"}),
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (Href, {"type": "string", "format": "uri"}),
    (HasInstant, {"type": "boolean"}),
    (fields.Boolean, {"type": "boolean"}),
    (Kilobytes, {"type": "number"}),
    (Amount, {"type": "number"}),
    (fields.Integer, {"type": "integer"}),
    (fields.Dict, {"type": "object"}),
    (fields.String, {"type": "string"}),
)


@dataclass(frozen=True)
class Version:
    """A document and the schemas that show what it describes.

    `called` is what the document calls otherwise than we do, `unshown` what it has and we never
    say, `is_plain` that it does not say of a text that it is a UUID.
    """

    contract: Contract
    modules: tuple[Any, ...]
    called: dict[str, str]
    unshown: dict[str, set[str]] = field(default_factory=dict)
    is_plain: bool = False

    @property
    def schemas(self):
        """All that shows something."""
        found = {
            schema
            for module in self.modules
            for schema in vars(module).values()
            if isclass(schema)
            and issubclass(schema, Schema)
            and schema.__module__ == module.__name__
        }
        return sorted(found, key=lambda schema: schema.__name__)

    @property
    def members(self):
        """Each member of each, by its name on the wire."""
        return [
            (schema, f.data_key or name, f)
            for schema in self.schemas
            for name, f in schema().fields.items()
        ]

    def name_of(self, schema):
        """What the document calls it."""
        name = schema.__name__.removesuffix("Schema")
        return self.called.get(name, name)

    def component_of(self, schema):
        """What the document says of it."""
        return self.contract.document["components"]["schemas"][self.name_of(schema)]

    def described(self, node):
        """A property's schema, with the name of the component that it is, if it is one."""
        while len(node.get("allOf", ())) == 1:
            (node,) = node["allOf"]
        name = node.get("$ref", "").rpartition("/")[2] or None
        return name, self.contract.resolved(node)

    def is_list_of(self, node, item):
        """Whether it is the envelope of such items."""
        return set(node["required"]) == {"items", "totalItems"} and (
            self.described(node["properties"]["items"]["items"])[0] == self.name_of(item)
        )


THREE = Version(
    contract=VERSION_3,
    modules=(messages, reference),
    called={"Attention": "AttentionOf", "Action": "MessageAction", "Validity": "ValidityPeriod"},
)
TWO = Version(
    contract=VERSION_2,
    modules=(messages_2, reference_2, receipts_2),
    called={
        "Attention": "ForTheAttentionOf",
        "Validity": "ValidityPeriod",
        "Summary": "Ebox",
        "Receipt": "PublicationStatusMessage",
        "Ebox": "EboxId",
        "Broadcast": "LinkResponse",
        "Status": "MessageStatus",
    },
    unshown={"Ebox": {"lastConsultationDate", "eboxSize"}},
    is_plain=True,
)
VERSIONS = {"3": THREE, "2": TWO}
SHOWN = [schema for version in VERSIONS.values() for schema in version.schemas]
SCHEMAS = [
    pytest.param(version, schema, id=f"{number}-{schema.__name__}")
    for number, version in VERSIONS.items()
    for schema in version.schemas
]
MEMBERS = [
    pytest.param(version, schema, name, member, id=f"{number}-{schema.__name__}.{name}")
    for number, version in VERSIONS.items()
    for schema, name, member in version.members
]


def test_every_schema_shows_only_what_has_a_value():
    assert THREE.schemas
    assert TWO.schemas
    assert {schema for schema in SHOWN if not issubclass(schema, AnswerSchema)} == set()


@pytest.mark.parametrize(("version", "schema"), SCHEMAS)
def test_a_schema_has_the_names_and_the_duties_of_its_component(version, schema):
    component = version.component_of(schema)
    members = {field.data_key or name: field for name, field in schema().fields.items()}

    unshown = version.unshown.get(version.name_of(schema), set())
    assert set(members) == set(component["properties"]) - unshown
    assert {name for name, field in members.items() if field.required} == set(
        component.get("required", ())
    )


def is_array_of(version, node, inner):
    """Whether it is an array of such things, or of texts."""
    component, items = version.described(node["items"])
    if isinstance(inner, fields.Nested):
        is_right = component == version.name_of(type(inner.schema))
    elif isinstance(inner, TranslatedText):
        is_right = component == "TranslatedString"
    else:
        is_right = items["type"] == "string"
    return is_right and node["type"] == "array"


@pytest.mark.parametrize(("version", "schema", "name", "field"), MEMBERS)
def test_a_member_has_the_type_that_is_described(version, schema, name, field):
    component, node = version.described(version.component_of(schema)["properties"][name])

    if isinstance(field, TranslatedText):
        assert component == "TranslatedString"
    elif isinstance(field, Listing):
        assert version.is_list_of(node, field.item)
    elif isinstance(field, fields.Nested):
        assert component == version.name_of(type(field.schema))
    elif isinstance(field, fields.Constant):
        assert node["enum"] == [field.constant]
    elif isinstance(field, fields.List):
        assert is_array_of(version, node, field.inner)
    elif isinstance(field, fields.UUID) and version.is_plain and "format" not in node:
        assert node["type"] == "string"
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


def test_the_enumerations_of_version_2_are_those_of_the_domain():
    schemas = VERSION_2.document["components"]["schemas"]

    assert schemas["EboxId"]["properties"]["eboxType"]["enum"] == list(EboxKind)
    assert schemas["Digest"]["properties"]["digestMethod"]["enum"] == [DIGEST_METHOD]
    assert set(schemas["Attachment"]["properties"]["mediaType"]["enum"]) == set(MEDIA_TYPES)
    assert set(schemas["TranslatedString"]["properties"]) == set(LANGUAGES)
