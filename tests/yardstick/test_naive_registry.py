"""A registry that was written in an afternoon is told much."""

import threading

import pytest
from werkzeug.serving import make_server

from registry.conformance.callers.access import GivenToken
from registry.conformance.callers.callers import Callers, Party
from registry.conformance.catalogue import choose_requirements
from registry.conformance.report.html_report import write_page
from registry.conformance.report.json_report import write_json
from registry.conformance.requirement import Profile, Role
from registry.conformance.run.session import RunWish, conduct_run
from registry.conformance.target import make_target
from registry.sandbox.servers.processes import LOOPBACK
from tests.yardstick.conftest import ORIGIN, failures
from tests.yardstick.naive_registry import make_naive_app

SEEN = {
    *("order-newest-first", "paging-bounds", "filter-impossible", "filter-syntax"),
    *("search-case", "search-language-missing", "language-messages", "language-reference-data"),
    *("document-digest", "document-size", "document-href", "document-disposition"),
    *("document-nosniff", "isolation-message", "isolation-content", "reference-lists"),
    *("error-form", "error-problem", "cors-stranger", "token-in-query"),
    *("token-challenge", "schema-list", "schema-message", "schema-refusals"),
    *("digest-mismatch", "idempotency-same", "main-missing", "sender-other", "publish-receipt"),
    *("media-type-unknown", "read-by-nothing-else"),
}


@pytest.fixture(scope="module")
def report():
    server = make_server(LOOPBACK, 0, make_naive_app(), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    more = {"number": "1999930063", "application": "app", "message_type": "letter"}
    callers = Callers(
        {
            Role.CONSUMER: Party(role=Role.CONSUMER, access=GivenToken("reader")),
            Role.OTHER: Party(role=Role.OTHER, access=GivenToken("stranger")),
            Role.SENDER: Party(role=Role.SENDER, access=GivenToken("sender"), **more),
        }
    )
    target = make_target(f"http://{LOOPBACK}:{server.port}/v3")
    wish = RunWish(
        target=target,
        profile=Profile.ACCEPTANCE,
        callers=callers,
        patience=10,
        time=120,
        origin=ORIGIN,
        may_read=True,
    )
    requirements = choose_requirements(wish.profile, target)
    yield conduct_run(wish, requirements, lambda _: None)
    server.shutdown()
    server.server_close()


def test_it_fails_at_what_it_does_wrong(report):
    assert SEEN - set(failures(report)) == set()
    assert len(failures(report)) >= 60
    assert report.exit_code == 1


def test_what_it_does_right_is_met(report):
    wrong = set(failures(report))

    assert not wrong & {"token-missing", "token-made-up", "filter-message-type", "paging-total"}


def test_the_reports_name_nobody(report):
    texts = write_page(report) + write_json(report)

    for secret in ("0999910048", "1999930063", "Bearer reader", "Brief nummer", "a.pdf"):
        assert secret not in texts
    assert "Authorization: Bearer …" in texts
