"""Keys of documents in storage."""

from uuid import UUID

import pytest

from registry.domain.document_keys import (
    PREFIX,
    find_message_id,
    find_record_key,
    find_recorded_id,
    make_key,
    make_prefix,
    make_record_key,
)

MESSAGE = UUID("0d9f1a62-5c1e-4a58-9d56-7d9c2f1f6b11")


def test_a_key_names_the_message_that_its_document_is_for():
    assert find_message_id(make_key(MESSAGE, 1)) == MESSAGE
    assert find_message_id(make_key(MESSAGE, 20)) == MESSAGE
    assert make_key(MESSAGE, 1) != make_key(MESSAGE, 2)


def test_the_keys_of_a_message_have_a_beginning_of_their_own():
    assert make_key(MESSAGE, 12).startswith(make_prefix(MESSAGE))
    assert make_prefix(MESSAGE).startswith(PREFIX)


@pytest.mark.parametrize(
    "key",
    [
        f"{PREFIX}{MESSAGE}",  # of former versions
        f"{PREFIX}{MESSAGE}-",
        f"{PREFIX}{MESSAGE}-1/2",
        f"{PREFIX}{MESSAGE}-1\n",
        f"{PREFIX}{MESSAGE}-\u0661",
        f"elsewhere/{MESSAGE}-1",
        "",
    ],
)
def test_any_other_key_names_none(key):
    assert find_message_id(key) is None


def test_a_record_names_its_message_and_is_no_document():
    key = make_record_key(MESSAGE)

    assert find_recorded_id(key) == MESSAGE
    assert find_message_id(key) is None
    assert not key.startswith(PREFIX)
    assert [find_recorded_id(other) for other in (f"{key}-1", make_key(MESSAGE, 1), "")] == 3 * [
        None
    ]


def test_the_record_goes_where_the_first_document_goes():
    keys = [make_key(MESSAGE, 1), make_key(MESSAGE, 2), make_key(MESSAGE, 11), "documents/old"]

    assert [find_record_key(key) for key in keys] == [make_record_key(MESSAGE), None, None, None]
