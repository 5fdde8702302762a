"""GET …/ebox/messages: a page takes about as much memory as it weighs, however it is filled."""

import json
import tracemalloc
from gc import collect

import pytest
from werkzeug.test import EnvironBuilder

from tests.api.v2.visiting import in_version_2

pytestmark = pytest.mark.long

SMALL_FACT = {"key": "k", "values": [{"nl": "x"}] * 5000}  # what takes most memory for its JSON
LONG_FACT = {"key": "k", "values": [{"nl": "x" * 250}] * 200}


@pytest.fixture
def measure(app):
    """Headers and pieces of a page, and the most bytes that the application held for it.

    Asked as a server does: what reads answers for the other tests holds them too.
    """

    def ask(reader):
        headers = {"Authorization": f"Bearer {reader.token}"}
        environ = EnvironBuilder(
            path=f"{reader.base}/ebox/messages", query_string="pageSize=50", headers=headers
        ).get_environ()
        answers = []
        collect()
        tracemalloc.start()
        try:
            pieces = app(environ, lambda _, headers: answers.append(dict(headers)))
            return answers[0], list(pieces), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return ask


@pytest.mark.parametrize("in_version", [lambda visitor: visitor, in_version_2])
@pytest.mark.parametrize("fact", [SMALL_FACT, LONG_FACT])
def test_a_page_is_not_held_twice(consumer, deliver, measure, in_version, fact):
    for _ in range(50):
        deliver(consumer.ebox, business_data=[fact])
    reader = in_version(consumer)
    measure(reader)  # what is made once is made

    headers, pieces, peak = measure(reader)

    page = sum(map(len, pieces))
    assert json.loads(b"".join(pieces))["totalItems"] == 50
    assert int(headers["Content-Length"]) == page > 6 << 20
    assert peak < 2 * page
