"""The page at /doc/ in a browser: it is drawn without a network, and calls with a token."""

import threading

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from registry.api.state import get_state
from registry.app import create_app
from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CITIZEN_PORTAL, CONSUMER
from registry.sandbox.servers.processes import free_port
from tests.conformance.bases import V2
from tests.conftest import V3
from tests.factories import a_file, an_ebox

pytestmark = pytest.mark.process

BASES = [*V3.values(), *V2.values()]


@pytest.fixture(scope="module")
def origin(settings):
    """A server on the parts of all tests; it says it is reached by a name of its own."""
    port = free_port()
    app = create_app(settings.model_copy(update={"public_url": "https://registry.example"}))
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()
    get_state(app).registry.dispose()


def open_page(watch, url):
    watch.page.goto(url)
    expect(watch.page.locator(".opblock").first).to_be_visible()


def authorize(page, token):
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.locator("#auth-bearer-value").fill(token)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).click()


def call(page, block):
    """Call an operation; gives status and body of its answer."""
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer).to_be_visible()
    status = answer.locator(".response-col_status").inner_text()
    return int(status.split()[0]), answer.locator(".response-col_description").inner_text()


@pytest.mark.parametrize("base", BASES)
def test_the_page_of_each_interface_is_drawn_without_a_network(watch, origin, base):
    open_page(watch, f"{origin}{base}/doc/")

    operations = watch.page.locator(".opblock")
    assert operations.count() > 15
    assert watch.faults == []
    assert watch.hosts == {origin.removeprefix("http://")}
    assert watch.page.locator(".servers option").all_inner_texts() == [f"{origin}{base}"]


def test_a_call_with_a_token_reads_the_e_box_of_its_holder(watch, origin, party, deliver):
    ebox = an_ebox()
    deliver(ebox, a_file(), subject={"nl": "Over spinazie"})
    open_page(watch, f"{origin}{V3[EboxKind.ENTERPRISE]}/doc/")

    authorize(watch.page, party(CONSUMER, enterprise=ebox.number))
    status, text = call(watch.page, watch.page.locator("#operations-Messages-listMessages"))

    assert status == 200
    assert "Over spinazie" in text
    assert watch.faults == []
    assert watch.page.locator(".request-url pre").inner_text().endswith("?page=1&pageSize=25")


def test_so_does_that_of_a_citizen_in_version_2(watch, origin, party, deliver):
    ebox = an_ebox(EboxKind.CITIZEN)
    deliver(ebox, a_file(), subject={"nl": "Over spinazie"})
    open_page(watch, f"{origin}{V2[EboxKind.CITIZEN]}/doc/")

    authorize(watch.page, party(CITIZEN_PORTAL, person=ebox.number))
    status, text = call(watch.page, watch.page.locator("[id$=-getMessagesByEBoxId]"))

    assert status == 200
    assert "Over spinazie" in text


def test_without_a_token_the_refusal_is_shown(watch, origin):
    open_page(watch, f"{origin}{V3[EboxKind.ENTERPRISE]}/doc/")

    status, text = call(watch.page, watch.page.locator("#operations-Messages-listMessages"))

    assert status == 401
    assert "noAccessToken" in text


def test_a_script_from_elsewhere_is_not_run(watch, origin):
    """The policy is in force: what a flaw might put into the page does nothing."""
    open_page(watch, f"{origin}{V3[EboxKind.ENTERPRISE]}/doc/")

    watch.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " { textContent: 'window.wasRun = true' }))"
    )

    assert watch.page.evaluate("window.wasRun") is None
    assert any("Content Security Policy" in fault for fault in watch.faults)
