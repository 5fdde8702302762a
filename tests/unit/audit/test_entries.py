"""What is written of a call, and the hash that stands for it (contract 4.20)."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from http import HTTPMethod, HTTPStatus
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.audit.log import write_timestamp
from registry.audit.trail.canonical_json import NotCanonical
from registry.audit.trail.entry import Entry, Record, hash_leaf, read_timestamp, write_entry
from tests.factories import NOON

TEXTS = st.text(max_size=5)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
RECORDS = st.builds(Record, st.integers(0, 300), TEXTS, st.none() | TEXTS, st.none() | TEXTS, TIMES)


def an_entry(at=NOON, **changes):
    values = {
        "timestamp": write_timestamp(at),
        "token_hash": "ab" * 32,
        "client_id": "a client",
        "method": "GET",
        "url": "https://registry.example/v3/messages?page=1",
        "status": 200,
        "details": {"messageId": ["1"]},
    }
    return Entry(**values | changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"CLIENT_ID":"x","TIMESTAMP":"2026-11-20T13:00:00.000000+01:00"}', NOON),
        ('{"A":{"TIMESTAMP":"2010-01-01T00:00:00Z"},"TIMESTAMP":"2026-11-20T12:00:00Z"}', NOON),
        ('{"CLIENT_ID":"x","TIMESTAMP":"2026-11-20T13:00:00"}', None),
        ('{"CLIENT_ID":"x","TIMESTAMP":"noon"}', None),
        ('{"TIMESTAMP":"2026-11-20T12:00:00Z"}', None),
        ("{}", None),
        ("", None),
    ],
)
def test_the_time_of_an_entry_is_read_from_its_last_member(text, expected):
    assert read_timestamp(text) == expected


def test_an_entry_is_written_under_the_seven_keys_of_the_contract_and_in_one_form():
    assert write_entry(an_entry()) == (
        '{"API_CALL_DETAILS":{"messageId":["1"]},"API_CALL_REQUEST_METHOD":"GET",'
        '"API_CALL_REQUEST_URL":"https://registry.example/v3/messages?page=1",'
        '"API_CALL_RESPONSE_CODE":200,"CLIENT_ID":"a client",'
        f'"SUBJECT_TOKEN_HASHED":"{"ab" * 32}",'
        '"TIMESTAMP":"2026-11-20T13:00:00.000000+01:00"}'
    )


def test_the_pseudonyms_stand_beside_the_text_and_not_in_it():
    named = an_entry(ebox="key:01", person="key:02")

    assert write_entry(named) == write_entry(an_entry())


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "2026-07-01T14:00:00.000000+02:00"),
        (datetime(2026, 12, 31, 23, 0, 0, 1, UTC), "2027-01-01T00:00:00.000001+01:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T02:30:00.000000+02:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T02:30:00.000000+01:00"),
        (datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")), "2025-12-31T16:00:00.000000+01:00"),
    ],
)
def test_a_time_is_written_in_belgian_time_with_six_decimals(at, written):
    assert json.loads(write_entry(an_entry(at=at)))["TIMESTAMP"] == written


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="without its zone"):
        write_entry(an_entry(at=NOON.replace(tzinfo=None)))


def test_details_with_a_float_are_refused():
    with pytest.raises(NotCanonical):
        write_entry(an_entry(details={"attachments": [{"size": 1.0}]}))


def test_any_mapping_and_the_words_and_numbers_of_http_are_taken():
    said = an_entry(
        details=MappingProxyType({"a": 1}), status=HTTPStatus.OK, method=HTTPMethod.POST
    )

    assert json.loads(write_entry(said)) | {"TIMESTAMP": ""} == {
        "API_CALL_DETAILS": {"a": 1},
        "API_CALL_REQUEST_METHOD": "POST",
        "API_CALL_REQUEST_URL": "https://registry.example/v3/messages?page=1",
        "API_CALL_RESPONSE_CODE": 200,
        "CLIENT_ID": "a client",
        "SUBJECT_TOKEN_HASHED": "ab" * 32,
        "TIMESTAMP": "",
    }


@given(st.timedeltas(timedelta(0), timedelta(days=10_000)))
def test_the_written_time_is_the_same_instant(later):
    written = json.loads(write_entry(an_entry(at=NOON + later)))["TIMESTAMP"]

    assert datetime.fromisoformat(written) == NOON + later


def test_a_leaf_is_the_hash_of_number_lengths_and_texts_after_a_zero():
    framed = (
        b"\0" + (7).to_bytes(8) + (2).to_bytes(4) + (1).to_bytes(4) + b"\xff" * 4 + b"\xc3\xa9e"
    )

    assert hash_leaf(Record(7, "é", "e", None), form=1) == hashlib.sha256(framed).digest()


def test_a_leaf_of_today_has_the_time_after_the_number():
    recorded_at = datetime(1970, 1, 1, 1, 0, 1, 5, ZoneInfo("Europe/Brussels"))
    framed = b"\0" + (7).to_bytes(8) + (1_000_005).to_bytes(8) + b"\0\0\0\1" + b"\xff" * 8 + b"a"

    assert hash_leaf(Record(7, "a", None, None, recorded_at)) == hashlib.sha256(framed).digest()


def test_whatever_the_time_is_it_is_under_the_leaf():
    times = [None, NOON, NOON + timedelta(microseconds=1), datetime(2010, 1, 1, tzinfo=UTC)]

    leaves = {hash_leaf(Record(7, "a", recorded_at=time)) for time in times}

    assert len(leaves) == len(times)


@given(RECORDS, RECORDS)
def test_two_records_have_the_same_leaf_only_if_they_are_the_same(one, other):
    assert (hash_leaf(one) == hash_leaf(other)) is (one == other)


@pytest.mark.parametrize(
    "other",
    [
        Record(1, "a", "", None),
        Record(1, "a", None, ""),
        Record(1, "a", "b", "c"),
        Record(1, "ab", "", "c"),
        Record(1, "abc", None, None),
        Record(1, "", "ab", "c"),
        Record(97, "a"),
    ],
)
def test_nothing_moves_from_one_part_of_a_record_to_another_unseen(other):
    records = [Record(1, "a"), Record(1, "ab", "c", None), Record(1, "a", "bc", None)]

    assert hash_leaf(other) not in map(hash_leaf, records)
