"""The compiled dumpers show what marshmallow itself would, for every schema and any object."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields

from registry.api.responses.fields import (
    Amount,
    BooleanOrFalse,
    HasInstant,
    Href,
    InlineObject,
    Instant,
    JsonColumnSchema,
    JsonListing,
    Listing,
    NameWithFallback,
    TextWithFallback,
    TranslatedText,
    parse_amount,
)
from registry.api.responses.json_response import render_array, render_list, render_object
from registry.api.state import get_state
from registry.api.v2.schemas import messages as messages_2
from registry.api.v2.schemas.receipts import StatusSchema
from registry.api.v3.schemas.messages import MessageSchema
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.languages import LANGUAGES
from tests.conformance.bases import V2
from tests.conformance.test_schemas import SCHEMAS
from tests.conftest import V3

WORDS = st.text(max_size=8)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS)  # noqa: DTZ001
TRANSLATED = st.dictionaries(st.sampled_from([*LANGUAGES, "en"]), WORDS, max_size=3)
EBOXES = st.builds(Ebox, st.sampled_from(EboxKind), st.from_regex(r"[0-9]{10}", fullmatch=True))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
# What URLs are made of, which no schema shows by itself.
PLACES = {"message_id": st.uuids(), "collection": WORDS, "owner_id": WORDS}
DECIMALS = st.from_regex(r"[-+]?([0-9]{1,400}(\.[0-9]*)?|\.[0-9]+)", fullmatch=True)
PLAIN = (  # the first that fits: what an object holds for a member of this kind
    (Instant, INSTANTS),
    (TranslatedText, TRANSLATED),
    (fields.UUID, st.uuids()),
    (fields.Boolean, st.booleans()),
    (Amount, DECIMALS),
    (fields.Float, st.integers(0, 2**50)),
    (fields.Integer, st.integers(0, 2**31 - 1)),
    (fields.Dict, st.dictionaries(WORDS, JSON, max_size=3)),
    (fields.String, WORDS),
)


def value_of(field):
    """What an object may hold for a member."""
    if isinstance(field, Listing):
        items = st.lists(objects(field.item), max_size=2)
        return items.map(json.dumps) if isinstance(field, JsonListing) else items
    if isinstance(field, fields.Nested):
        return objects(type(field.schema))
    if isinstance(field, fields.List):
        return st.lists(value_of(field.inner), max_size=2)
    return next(values for kind, values in PLAIN if isinstance(field, kind))


def attributes_of(schema):
    """The attributes, each with its values, that an object must have to be shown."""
    found = {}
    for name, field in schema().fields.items():
        if isinstance(field, InlineObject):
            found |= attributes_of(type(field.schema))
            if field.unless_none:
                found[field.unless_none] = st.none() | WORDS
        elif isinstance(field, HasInstant):
            found[field.instant] = st.none() | INSTANTS
        elif isinstance(field, Href):
            found |= PLACES
        elif (field.attribute or "").startswith("ebox."):
            found["ebox"] = EBOXES
        elif not isinstance(field, fields.Constant):
            values = value_of(field)
            found.setdefault(name, values if always(field) else st.none() | values)
    return found | others(schema)


def others(schema):
    """What an object may have instead of a member that it lacks."""
    members = schema().fields.values()
    return {field.other: WORDS for field in members if isinstance(field, TextWithFallback)}


def always(field):
    """Whether an object must have a value for a member; some are shown without."""
    return field.required and not isinstance(field, NameWithFallback | BooleanOrFalse)


def objects(schema):
    """Objects that a schema can show; what is kept as JSON may lack members altogether."""
    attributes = attributes_of(schema)
    if not issubclass(schema, JsonColumnSchema):
        return st.builds(SimpleNamespace, **attributes)
    duties = {name for name, field in schema().fields.items() if always(field)}
    return st.fixed_dictionaries(
        {name: values for name, values in attributes.items() if name in duties},
        optional={name: values for name, values in attributes.items() if name not in duties},
    )


@pytest.fixture
def asked(app):
    """In the middle of a request, so that URLs can be made; the version is of no importance."""
    with app.test_request_context(f"{V3[EboxKind.ENTERPRISE]}/ebox/messages"):
        yield


@pytest.mark.parametrize(("version", "schema"), SCHEMAS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_a_dumper_shows_what_marshmallow_shows(asked, version, schema, data):
    value = data.draw(objects(schema))

    members = json.loads(render_object(value, schema).get_data())

    assert members == json.loads(json.dumps(schema().dump(value)))
    assert None not in members.values()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(values=st.lists(objects(MessageSchema), max_size=3))
def test_a_page_is_made_of_what_marshmallow_shows(asked, values):
    page = json.loads(render_list(values, 7, MessageSchema).get_data())

    items = MessageSchema(many=True).dump(values)
    assert page == {"items": json.loads(json.dumps(items)), "totalItems": 7}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(values=st.lists(objects(StatusSchema), max_size=3))
def test_an_array_is_made_of_what_marshmallow_shows(asked, values):
    shown_as = json.loads(render_array(values, StatusSchema).get_data())

    assert shown_as == json.loads(json.dumps(StatusSchema(many=True).dump(values)))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1250.00", 1250),
        ("-.5", -0.5),
        ("+7.", 7),
        ("0.10", 0.1),
        ("9" * 400, 1.7976931348623157e308),
    ],
)
def test_a_decimal_text_is_the_nearest_number(text, number):
    assert parse_amount(text) == number


def test_what_version_2_must_show_is_shown_though_nobody_said_it(asked):
    fact = {"key": "fileNumber", "values": []}
    person = {"id": "HR-12", "label": "An"}

    assert json.loads(render_object(fact, messages_2.BusinessDataSchema).get_data()) == {
        "key": "fileNumber",
        "name": {"nl": "fileNumber", "fr": "fileNumber", "de": "fileNumber"},
        "values": [],
    }
    assert json.loads(render_object(person, messages_2.AttentionSchema).get_data()) == {
        "id": "HR-12",
        "name": "An",
    }
    message = SimpleNamespace(**{**vars(a_full_message()), "is_body_main": None})
    assert json.loads(render_object(message, messages_2.MessageSchema).get_data()) == {
        "messageId": "00000000-0000-0000-0000-000000000001",
        "subject": {"nl": "Bonjour", "fr": "Bonjour", "de": "Bonjour"},
        "receiptDate": "2026-11-20T12:00:00+00:00",
        "expirationDate": "2026-11-20T12:00:00+00:00",
        "readStatus": False,
        "visible": True,
        "registeredMail": False,
        "messageTypeId": "letter",
        "senderOrganizationId": "0308357159",
        "attachments": {"items": [], "totalItems": 0},
        "bodyMainContent": False,
        "replyAuthorized": False,
    }


def a_full_message():
    at = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC)
    names = attributes_of(MessageSchema)
    return SimpleNamespace(
        **dict.fromkeys(names)
        | {
            "message_id": UUID(int=1),
            "subject": {"fr": "Bonjour"},
            "received_at": at,
            "expires_at": at,
            "is_visible": True,
            "is_registered": False,
            "can_be_answered": False,
            "message_type_id": "letter",
            "sender": "0308357159",
            "ebox": Ebox(EboxKind.CITIZEN, "85073003328"),
            "attachments": [],
        }
    )


def test_what_has_no_value_is_left_out_and_nothing_else(asked):
    assert json.loads(render_object(a_full_message(), MessageSchema).get_data()) == {
        "messageId": "00000000-0000-0000-0000-000000000001",
        "subject": {"nl": "Bonjour", "fr": "Bonjour", "de": "Bonjour"},
        "receiptDate": "2026-11-20T12:00:00+00:00",
        "expirationDate": "2026-11-20T12:00:00+00:00",
        "isRead": False,
        "isVisible": True,
        "isRegisteredMail": False,
        "messageTypeId": "letter",
        "sender": {"eboxType": "enterprise", "enterpriseNumber": "0308357159"},
        "recipient": {"eboxType": "citizen", "ssin": "85073003328"},
        "attachments": {"items": [], "totalItems": 0},
        "isReplyAuthorized": False,
    }


def test_urls_begin_with_the_public_address_of_this_family(app):
    place = {**dict.fromkeys(attributes_of(MessageSchema)), **vars(a_full_message())}
    file = SimpleNamespace(
        message_id=UUID(int=1),
        attachment_id="1",
        title=None,
        file_name="a.pdf",
        is_main=True,
        media_type="application/pdf",
        size=512,
        digest="d",
        is_signed=False,
    )
    message = SimpleNamespace(**{**place, "attachments": [file]})

    for version, bases, schema in (
        ("v3", V3, MessageSchema),
        ("v2", V2, messages_2.MessageSchema),
    ):
        for kind, base in bases.items():
            with app.test_request_context(f"{base}/ebox/messages"):
                page = json.loads(render_object(message, schema).get_data())

            (item,) = page["attachments"]["items"]
            below = f"{get_state(app).registry.roots[kind]}/{version}/ebox/messages"
            assert item["contentHref"] == (
                f"{below}/00000000-0000-0000-0000-000000000001/attachments/1/content"
            )
            assert item["size"] == 0.5
