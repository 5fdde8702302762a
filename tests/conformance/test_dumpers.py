"""The compiled dumpers show what marshmallow itself would, for every schema and any object."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields

from registry.api.fields import Happened, Href, Instant, KeptAsJson, Listing, Translated, Within
from registry.api.showing import listed, shown
from registry.api.v3.schemas.messages import MessageSchema
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.languages import LANGUAGES
from tests.conformance.test_schemas import SHOWN
from tests.conftest import V3

SCHEMAS = sorted(SHOWN, key=lambda schema: schema.__name__)
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
PLAIN = (  # the first that fits: what an object holds for a member of this kind
    (Instant, INSTANTS),
    (Translated, TRANSLATED),
    (fields.UUID, st.uuids()),
    (fields.Boolean, st.booleans()),
    (fields.Float, st.integers(0, 2**50)),
    (fields.Integer, st.integers(0, 2**31 - 1)),
    (fields.Dict, st.dictionaries(WORDS, JSON, max_size=3)),
    (fields.String, WORDS),
)


def value_of(field):
    """What an object may hold for a member."""
    if isinstance(field, Listing):
        return st.lists(objects(field.item), max_size=2)
    if isinstance(field, fields.Nested):
        return objects(type(field.schema))
    if isinstance(field, fields.List):
        return st.lists(value_of(field.inner), max_size=2)
    return next(values for kind, values in PLAIN if isinstance(field, kind))


def attributes_of(schema):
    """The attributes, each with its values, that an object must have to be shown."""
    found = {}
    for name, field in schema().fields.items():
        if isinstance(field, Within):
            found |= attributes_of(type(field.schema))
            if field.unless_none:
                found[field.unless_none] = st.none() | WORDS
        elif isinstance(field, Happened):
            found[field.instant] = st.none() | INSTANTS
        elif isinstance(field, Href):
            found |= PLACES
        elif (field.attribute or "").startswith("ebox."):
            found["ebox"] = EBOXES
        elif not isinstance(field, fields.Constant):
            values = value_of(field)
            found.setdefault(name, values if field.required else st.none() | values)
    return found


def objects(schema):
    """Objects that a schema can show; what is kept as JSON may lack members altogether."""
    attributes = attributes_of(schema)
    if not issubclass(schema, KeptAsJson):
        return st.builds(SimpleNamespace, **attributes)
    duties = {name for name, field in schema().fields.items() if field.required}
    return st.fixed_dictionaries(
        {name: values for name, values in attributes.items() if name in duties},
        optional={name: values for name, values in attributes.items() if name not in duties},
    )


@pytest.fixture
def asked(app):
    """In the middle of a request to version 3, so that URLs can be made."""
    with app.test_request_context(f"{V3[EboxKind.ENTERPRISE]}/ebox/messages"):
        yield


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_a_dumper_shows_what_marshmallow_shows(asked, schema, data):
    value = data.draw(objects(schema))

    members = json.loads(shown(value, schema).get_data())

    assert members == json.loads(json.dumps(schema().dump(value)))
    assert None not in members.values()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(values=st.lists(objects(MessageSchema), max_size=3))
def test_a_page_is_made_of_what_marshmallow_shows(asked, values):
    page = json.loads(listed(values, 7, MessageSchema).get_data())

    items = MessageSchema(many=True).dump(values)
    assert page == {"items": json.loads(json.dumps(items)), "totalItems": 7}


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
            "is_reply_authorized": False,
            "message_type_id": "letter",
            "sender": "0308357159",
            "ebox": Ebox(EboxKind.CITIZEN, "85073003328"),
            "attachments": [],
        }
    )


def test_what_has_no_value_is_left_out_and_nothing_else(asked):
    assert json.loads(shown(a_full_message(), MessageSchema).get_data()) == {
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
        size=1,
        digest="d",
        is_signed=False,
    )
    message = SimpleNamespace(**{**place, "attachments": [file]})

    for kind, base in V3.items():
        with app.test_request_context(f"{base}/ebox/messages"):
            page = json.loads(shown(message, MessageSchema).get_data())

        (item,) = page["attachments"]["items"]
        root = app.extensions["registry"].roots[kind]
        assert item["contentHref"] == (
            f"{root}/v3/ebox/messages/00000000-0000-0000-0000-000000000001/attachments/1/content"
        )
        assert item["size"] == 0.001
