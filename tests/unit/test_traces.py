"""Trace ids in the header `traceparent` of W3C Trace Context."""

import pytest

from registry.domain.traces import make_trace_id, make_traceparent, read_trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_the_id_of_a_header_that_is_well_formed_is_taken_over(flags):
    assert read_trace_id(f"00-{TRACE}-{PARENT}-{flags}") == TRACE


@pytest.mark.parametrize("more", ["", "-", "-more", "-more-and-more"])
def test_a_version_to_come_may_say_more(more):
    assert read_trace_id(f"cc-{TRACE}-{PARENT}-01{more}") == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "-",
        "---",
        TRACE,
        f"00-{TRACE}",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-01-more",
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}0-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-0\u0661",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
    ],
)
def test_any_other_header_has_none(header):
    assert read_trace_id(header) is None


def test_what_is_handed_on_is_well_formed():
    trace_id = make_trace_id()

    assert read_trace_id(make_traceparent(trace_id)) == trace_id
    assert make_traceparent(trace_id) != make_traceparent(trace_id)
