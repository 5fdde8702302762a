"""Personal numbers never reach a log, a terminal or a table: one rule for all of them."""

import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.personal_data import MASK, mask_personal_numbers

PLAIN = "85041299768"
PRINTED = "85.04.12-997.68"


@pytest.mark.parametrize(
    "number",
    [
        PLAIN,
        PRINTED,
        "85.04.12 997.68",
        "85 04 12 997 68",
        "85-04-12-997-68",
        "850412-997-68",
        "850412 99768",
        "85.04.12-99768",
        "85241299768",  # a bis number
        "85041299769",  # its check digits are wrong
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "{} comes first",
        "last comes {}",
        "Not {}, nor {}.",
        "citizen:{}",
        "/citizens/{}/messages?x=1",
        "ssin={}&x=1",
        "a{}b",
        "%20{}%20",
        "\n{}\n",
        "'{}'",
        "1. {} 2",
        "{}/{}",
    ],
)
def test_a_personal_number_is_masked_wherever_it_stands(number, frame):
    assert mask_personal_numbers(frame.replace("{}", number)) == frame.replace("{}", MASK)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no number at all",
        "0206731645",  # of an enterprise
        "0206.731.645",
        "BE 0206.731.645",
        "850412997680",  # a digit too many
        "8504129976",  # a digit too few
        "2026-11-20T12:00:00.123456+01:00",
        "2026-11-20 0206731645",
        "127.0.0.1:8080",
        "+32 2 123 45 67",
        "3f0b6c1e-5a4d-4f0e-9c53-a12345678901",
        "3f0b6c1e-5a4d-4f0e-9c53-12345678901a",
        "message 3f0b6c1e-5a12-3456-7890-123456789012 is gone",
        "de" + "12345678901" + "0a" * 25 + "f",  # a digest
    ],
)
def test_what_names_no_person_stays_readable(text):
    assert mask_personal_numbers(text) == text


@given(st.uuids())
def test_every_uuid_stays_readable(identifier):
    assert mask_personal_numbers(f"({identifier})") == f"({identifier})"


def test_a_number_beside_a_uuid_is_masked():
    identifier = uuid4()
    assert mask_personal_numbers(f"{identifier} {PRINTED}") == f"{identifier} {MASK}"


@pytest.mark.parametrize("piece", ["1", "12.", "85.04.12-", "a1-", "0" * 8 + "-", "%20", "1 "])
def test_the_time_grows_with_the_text_and_no_faster(piece):
    def seconds(count):
        began = time.process_time()
        mask_personal_numbers(piece * count)
        return time.process_time() - began

    seconds(1000)  # warm
    assert seconds(200_000) < 3
