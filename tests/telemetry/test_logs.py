"""Log lines: JSON, with a trace id, and with nobody's secrets or numbers in them."""

import json
import logging
import re
from uuid import UUID, uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from registry.telemetry.masking import mask_event
from tests.factories import a_person
from tests.log_lines import told

SSIN = "85073003328"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI4NTA3MzAwMzMyOCJ9.c2lnbmF0dXJl-_"
JWE = "eyJlbmMiOiJBIn0.a2V5.aXY.Y2lwaGVy.dGFn"


def masked(**members):
    return mask_event(None, "info", members)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Bearer {JWT}", "***"),
        ("bearer opaque-token~1/2+3=", "***"),
        ("Authorization: BEARER  a.b", "Authorization: ***"),
        ("'Bearer abc', and more", "'***', and more"),
        (f"got {JWT}.", "got ***"),
        (f"got {JWT!r}", "got '***'"),
        (JWE, "***"),
        ("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "***"),
        (SSIN, "***"),
        (f"citizen:{SSIN}", "citizen:***"),
        (f"ssin={SSIN}&x=1", "ssin=***&x=1"),
        (f"a{SSIN}b", "a***b"),
        ("85.07.30-033.28", "***"),
        ("85.07.30 033.28", "***"),
        ("85 07 30 033 28", "***"),
        ("850730-033-28", "***"),
        ("85073003328 and 01092399676", "*** and ***"),
    ],
)
def test_tokens_and_persons_numbers_are_blotted_out(text, left):
    assert masked(event=text) == {"event": left}


@pytest.mark.parametrize(
    "text",
    [
        "0206731645",
        "850730033280",
        "2026-11-20T12:00:00.123456+01:00",
        "127.0.0.1:8080",
        "3f0b6c1e-5a4d-4f0e-9c53-a12345678901",
        "3f0b6c1e-5a4d-4f0e-9c53-12345678901a",
        "/ebox/messages/<message_id>",
        "the bearer",
        "eyJ",
        "",
    ],
)
def test_what_is_no_secret_stays(text):
    assert masked(event=text) == {"event": text}


@given(st.uuids())
def test_a_trace_id_is_never_blotted_out(identifier):
    assert masked(trace_id=str(identifier)) == {"trace_id": str(identifier)}


@pytest.mark.parametrize(
    "name", ["token", "ssin", "file_name", "subject", "authorization", "password", "Authorization"]
)
@pytest.mark.parametrize("value", ["short", {"nl": "Aanslag"}, ["a"], 1, None])
def test_members_that_are_personal_or_secret_show_nothing_whatever_they_hold(name, value):
    assert masked(**{name: value}) == {name: "***"}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"headers": {"Authorization": "Basic x"}}, {"headers": {"Authorization": "***"}}),
        ({"a": [{"b": (SSIN, {"ssin": "1"})}]}, {"a": [{"b": ["***", {"ssin": "***"}]}]}),
        ({SSIN: 1}, {"***": 1}),
        ([{SSIN}], [["***"]]),
        (int(SSIN), "***"),
        ({1: "x"}, {"1": "x"}),
        ([1, 2.5, True, None], [1, 2.5, True, None]),
    ],
    ids=["header", "deep", "key", "set", "number", "number as key", "plain"],
)
def test_nothing_hides_below_the_surface(value, left):
    assert masked(extra=value) == {"extra": left}


def test_what_is_no_text_is_blotted_out_as_the_text_it_becomes():
    class Holder:
        def __str__(self):
            return f"<Holder {SSIN}>"

    assert masked(held=Holder(), error=ValueError(JWT)) == {"held": "<Holder ***>", "error": "***"}


@given(st.text(), st.text())
def test_a_number_is_found_in_whatever_surrounds_it(before, after):
    shown = masked(event=f"{before} {SSIN} {after}")["event"]

    assert SSIN not in shown


def test_a_line_is_a_json_object_with_time_level_and_name():
    with told() as lines:
        structlog.get_logger("registry.test").warning("something", trace_id="1", number=7)

    (line,) = lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "something",
        "level": "warning",
        "logger": "registry.test",
        "trace_id": "1",
        "number": 7,
    }


def test_libraries_lines_pass_the_same_mask():
    with told() as lines:
        more = {"token": "t", "more": JWT}
        logging.getLogger("somebody.else").error("caller %s", SSIN, extra=more)

    (line,) = lines
    assert (line["event"], line["level"], line["logger"]) == (
        "caller ***",
        "error",
        "somebody.else",
    )
    assert (line["token"], line["more"]) == ("***", "***")


def failing():
    try:
        int(f"citizen:{SSIN}")
    except ValueError as error:
        raise RuntimeError(f"Bearer {JWT}") from error


def test_an_exception_is_told_on_one_line_without_what_it_held():
    with told() as lines:
        try:
            failing()
        except RuntimeError as error:
            structlog.get_logger("registry.test").error("unexpected", exc_info=error)
            logging.getLogger("somebody.else").exception("failed")

    assert [line["event"] for line in lines] == ["unexpected", "failed"]
    for line in lines:
        assert "RuntimeError: ***" in line["exception"]
        assert "citizen:***" in line["exception"]
        assert SSIN not in json.dumps(line)
        assert JWT not in json.dumps(line)


@pytest.mark.parametrize("value", ["\ud800", 2**80, float("nan"), b"\xff", object], ids=repr)
def test_a_line_is_written_whatever_it_holds(value):
    with told() as lines:
        structlog.get_logger("registry.test").info("odd", value=value)

    assert [line["event"] for line in lines] == ["odd"]


class Untold:
    """Cannot be written as text."""

    def __str__(self):
        raise RuntimeError(f"Bearer {JWT}")

    __repr__ = __str__


def in_a_circle():
    ring = {}
    ring["ring"] = ring
    return ring


@pytest.mark.parametrize("value", [Untold(), in_a_circle()], ids=["no text", "circle"])
def test_who_logs_what_cannot_be_written_goes_on_and_the_log_says_so(value):
    with told() as lines:
        structlog.get_logger("registry.test").info("odd", value=value)
        logging.getLogger("somebody.else").error("odd", extra={"value": value})
        logging.getLogger("somebody.else").error("%d", "no number")

    assert {line["event"] for line in lines} == {"a line of log could not be made"}
    assert [line["logger"] for line in lines] == ["registry.test", *["somebody.else"] * 2]
    assert JWT not in json.dumps(lines)


def test_a_text_with_line_breaks_stays_on_one_line():
    with told() as lines:
        structlog.get_logger("registry.test").info('first\nsecond {"event": "forged"}')

    (line,) = lines
    assert line["event"].startswith("first\nsecond")


def test_what_is_below_the_level_is_not_told():
    with told() as lines:
        structlog.get_logger("registry.test").debug("not told")
        structlog.get_logger("registry.test").info("told")

    assert [line["event"] for line in lines] == ["told"]


def test_even_at_debug_no_library_tells_what_it_signs():
    with told("DEBUG") as lines:
        for name in ("botocore", "boto3", "urllib3", "s3transfer"):
            logging.getLogger(f"{name}.any").debug("not told")
        logging.getLogger("registry.any").debug("told")

    assert [line["event"] for line in lines] == ["told"]


def test_every_request_leaves_one_line_with_the_trace_id_of_its_answer(consumer):
    related = str(uuid4())

    with told() as lines:
        answer = consumer.get("/ebox/messages", headers={"BelGov-Trace-Id": related})

    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["trace_id"] == answer.headers["BelGov-Trace-Id"] == str(UUID(line["trace_id"]))
    assert line["related_trace_id"] == related
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["route"].endswith("/ebox/messages")
    assert line["client_id"].startswith("party-")


def test_a_line_about_a_request_names_the_route_and_never_what_was_asked(consumer):
    with told() as lines:
        consumer.get(f"/ebox/messages?q={SSIN}&qlang=nl&page=oops")
        consumer.get(f"/nowhere/{SSIN}")

    assert [line["status"] for line in lines] == [400, 404]
    assert SSIN not in json.dumps(lines)
    assert "oops" not in json.dumps(lines)
    assert consumer.token not in json.dumps(lines)


def test_a_trace_id_that_is_somebodys_number_is_not_written_down(consumer):
    with told() as lines:
        consumer.get("/ebox/messages", headers={"BelGov-Trace-Id": SSIN})

    assert lines[-1]["related_trace_id"] == "***"


def test_a_number_that_was_drawn_is_masked_as_the_fixed_one_is():
    numbers = [a_person() for _ in range(100)]

    text = masked(event=" ".join(numbers))["event"]

    assert not re.search(r"\d", text)
