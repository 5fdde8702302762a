"""A large e-Box over HTTP: a total that is not exact says so, in both versions (ADR 038)."""

from copy import copy

import pytest
from sqlalchemy import text

from tests.large_eboxes import file_messages

HEADER = "Total-Items-Is-Minimum"


@pytest.fixture
def large(consumer, owner):
    """A caller whose e-Box is large, and has more messages than a text is first looked for in."""
    with owner.begin() as connection:
        row = "INSERT INTO large_eboxes (ebox, counted_at) VALUES (:ebox, now())"
        connection.execute(text(row), {"ebox": consumer.ebox.key})
        file_messages(connection, consumer.ebox, 1_010)
    return consumer


def test_a_total_that_is_not_exact_says_so(large):
    frequent = large.get("/ebox/messages?q=brief&qlang=nl")
    rare = large.get("/ebox/messages?q=nummer%201010&qlang=nl")
    whole = large.get("/ebox/messages")
    in_version_2 = _in_version_2(large).get("/ebox/messages?q=brief&qlang=nl")

    assert (frequent.json["totalItems"], frequent.headers[HEADER]) == (250, "true")
    assert (rare.json["totalItems"], HEADER in rare.headers) == (1, False)
    assert (whole.json["totalItems"], HEADER in whole.headers) == (1_010, False)
    assert in_version_2.headers[HEADER] == "true"


def _in_version_2(visitor):
    other = copy(visitor)
    other.base = visitor.base.replace("/v3", "/v2")
    return other
