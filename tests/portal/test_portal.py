"""The portal in a browser: a journey through it, few calls, access for all, no foreign script."""

import re
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from registry.sandbox.personas import AGENCY, BAKERY, GARAGE
from tests.portal import tour
from tests.portal.browser import DESK, TELEPHONE

pytestmark = pytest.mark.journey

AXE = Path(__file__).with_name("axe.min.js").read_text("utf-8")
FAULTS = """async () => (await axe.run(document)).violations
  .filter((fault) => ["serious", "critical"].includes(fault.impact))
  .map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).join(" ")}`)"""
HARMFUL = """<h1>Beste</h1><script>document.title = "broken"</script>
<img src="x" onerror="document.title = 'broken'"><iframe srcdoc="x"></iframe>
<style>main { display: none }</style>
<p onclick="document.title = 'broken'" style='position: fixed'>Lees <b>dit</b>,
<a href="javascript:document.title='broken'">nooit</a> en
<a href="https://provider.example/more" onclick="x()">meer</a>.</p>"""


def text(nl):
    return {"bodyContent": {"nl": nl}, "isBodyMainContent": True}


@pytest.fixture(scope="module")
def full_box(sandbox):
    """More messages to the garage than a page holds."""
    for number in range(26):
        sandbox.publish(GARAGE, f"Bericht nr. {number}.", **text("Kort."))


@pytest.mark.parametrize(("language", "size"), [("fr", DESK), ("nl", TELEPHONE)])
def test_the_whole_tour(visit, pdf, language, size):
    visitor = visit(size, language)
    # An enterprise that writes as the bakery does is no organization of the reference data.
    visitor.expect_refusal(404, f"/refData/senderOrganizations/{BAKERY.digits}$")
    subject = f"Brief {uuid4().hex[:8]}"

    tour.publish(visitor, subject, pdf)
    tour.find_and_read(visitor, subject)
    tour.act_and_reply(visitor, subject, pdf)
    tour.put_in_order(visitor, subject)
    tour.see_nothing_of_others(visitor, subject)
    tour.follow(visitor, subject)

    assert tour.fits(visitor.page)


def test_a_page_of_25_is_one_listing_and_each_reference_item_once(visit, full_box):
    visitor = visit()
    visitor.expect_refusal(404, f"/refData/senderOrganizations/{BAKERY.digits}$")

    visitor.open("other-enterprise")

    expect(visitor.page.locator(".message img.logo")).to_have_count(25)
    visitor.settle()
    calls = Counter(visitor.calls())
    listings = [call for call in calls.elements() if call.startswith("GET /ebox/messages")]
    assert listings == ["GET /ebox/messages?page=1&pageSize=25&isVisible=true"]
    items = Counter({call: times for call, times in calls.items() if "/refData/" in call})
    assert set(items) >= {
        f"GET /refData/senderOrganizations/{AGENCY.digits}",
        f"GET /refData/senderOrganizations/{AGENCY.digits}/images/logo/content",
        "GET /refData/senderApplications/sandbox-sender",
        "GET /refData/messageTypes/tax-assessment",
    }
    assert set(items.values()) == {1}
    assert sum(calls.values()) == len(visitor.page.locator(".calls tbody tr").all())


def test_reference_data_comes_from_the_browsers_cache_when_the_page_is_loaded_again(visit):
    visitor = visit()
    visitor.open("portal-user")

    visitor.page.reload()

    visitor.settle()
    rows = visitor.page.locator(".calls tbody tr")
    items, others = rows.filter(has_text="/refData/"), rows.filter(has_text="/ebox/")
    expect(items.filter(has_text=visitor.say("inspector.cache"))).to_have_count(items.count())
    expect(others.filter(has_text=visitor.say("inspector.network"))).to_have_count(others.count())
    assert items.count() > 9
    assert others.count() > 1


@pytest.mark.parametrize("asked", ["token", "folders"])
def test_a_page_is_busy_until_it_has_what_its_calls_wait_for(visit, asked):
    page = (visitor := visit()).page
    page.route(f"**/{asked}", lambda route: (page.wait_for_timeout(3_000), route.continue_()))

    visitor.open("portal-user")

    assert "GET /ebox/statistics" in visitor.calls()


def test_going_to_the_next_page_and_back(visit, full_box):
    visitor = visit()
    visitor.expect_refusal(404, f"/refData/senderOrganizations/{BAKERY.digits}$")
    visitor.open("other-enterprise")

    visitor.page.get_by_role("link", name=visitor.say("next")).click()

    expect(visitor.line("Bericht nr. 0.")).to_have_count(1)
    visitor.page.go_back()
    expect(visitor.line("Bericht nr. 25.")).to_have_count(1)


def test_filters_stand_in_the_address(visit):
    visitor = visit()
    visitor.open("portal-user")
    visitor.press("filters")
    visitor.page.get_by_label(visitor.say("registered"), exact=True).select_option("true")

    visitor.press("search")

    visitor.settle()
    expect(visitor.line("Dagvaarding met bijlage")).to_have_count(1)
    expect(visitor.line("Aanslagbiljet vennootschapsbelasting")).to_have_count(0)
    assert "isRegisteredMail=true" in visitor.page.url
    visitor.press("search.clear")
    expect(visitor.line("Aanslagbiljet vennootschapsbelasting")).to_have_count(1)


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (TELEPHONE, "dark")])
def test_axe_has_no_serious_fault_to_tell(visit, sandbox, size, scheme):
    subject = f"Met alles {size[0]} {scheme}"
    action = {"messageActionId": "a-1", "label": {"nl": "Bevestig"}}
    more = {"isReplyAuthorized": True, "isRegisteredMail": True, "messageAction": action}
    sandbox.publish(BAKERY, subject, **text("<p>Beste</p>"), **more)
    visitor = visit(size, color_scheme=scheme)
    page = visitor.page
    faults = []

    def look(where):
        page.evaluate(AXE)
        faults.extend(f"{where}: {fault}" for fault in page.evaluate(FAULTS))

    visitor.open("portal-user")
    visitor.press("filters")
    page.locator(".message input").first.check()
    look("list")
    page.locator(".message input").first.uncheck()
    visitor.read(subject)
    visitor.press("text.open")
    visitor.press("reply")
    look("message")
    visitor.press("connect")
    look("connection")
    visitor.open("sender", "#/sent")
    look("sending")

    assert faults == []


def test_everything_of_the_tour_can_be_reached_by_keys(visit):
    visitor = visit()
    page = visitor.page
    visitor.open("portal-user")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link that skips what stands above

    subject = "Aanslagbiljet vennootschapsbelasting"
    tab_to(page, page.get_by_role("searchbox"))
    page.keyboard.type("vennootschapsbelasting")
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_be_focused()
    tab_to(page, visitor.line(subject).get_by_role("link"))
    page.keyboard.press("Enter")
    expect(page.locator("article h2")).to_be_focused()
    tab_to(page, page.get_by_role("button", name=visitor.say("open")).first)
    page.keyboard.press("Enter")
    expect(page.locator(".paper iframe")).to_be_visible()
    page.go_back()
    expect(visitor.line(subject).get_by_role("link")).to_be_focused()


def tab_to(page, locator):
    locator.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if locator.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("The Tab key does not come there.")


def test_html_of_a_sender_does_nothing_and_loads_nothing(visit, sandbox):
    sandbox.publish(BAKERY, "Gevaarlijk", **text(HARMFUL))
    visitor = visit()
    visitor.open("portal-user")
    visitor.read("Gevaarlijk")

    visitor.press("text.open")

    page = visitor.page
    drawn = page.locator(".text")
    expect(drawn.locator("b")).to_have_text("dit")
    links = [link.get_attribute("href") for link in drawn.locator("a").all()]
    assert links == [None, "https://provider.example/more"]
    assert drawn.locator("script, img, iframe, style").count() == 0
    assert not re.search(r"onerror|onclick|style=", drawn.inner_html())
    assert page.title() == "Inbox · e-Box"


def test_a_document_in_html_can_only_be_downloaded(visit, sandbox):
    part = ("brief.html", b"<script>document.title='broken'</script>", "text/html")
    attachments = [{"httpPartName": "file", "isMainContent": True}]
    sandbox.publish(BAKERY, "Een pagina", files={"file": part}, attachments=attachments)
    visitor = visit()
    visitor.open("portal-user")

    visitor.read("Een pagina")

    names = [button.inner_text() for button in visitor.page.locator(".documents button").all()]
    assert names == [visitor.say("download")]


def test_a_page_of_an_origin_that_is_not_listed_is_refused_by_the_browser(visit, elsewhere):
    visitor = visit(portal=elsewhere)
    visitor.patience.append("CORS policy|net::ERR_FAILED")

    visitor.open("portal-user")

    trouble = visitor.page.locator(".trouble")
    expect(trouble).to_have_text(visitor.say("unreachable", origin=elsewhere.rstrip("/")))
    assert visitor.page.locator(".message").count() == 0


def test_any_registry_is_read_with_a_token_that_is_pasted_once(visit, sandbox):
    visitor = visit()
    page = visitor.page
    visitor.open("portal-user")
    visitor.press("connect")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(visitor.say("base")).fill(sandbox.base)
    dialog.get_by_label(visitor.say("token")).fill(sandbox.token("enterprise-consumer"))

    visitor.press("connect", dialog)

    expect(visitor.line("Vertrouwelijk")).to_have_count(1)  # which the accountant may not see
    expect(page.get_by_role("link", name="partitionNoAccess", exact=True)).to_be_visible()
    assert sandbox.token("enterprise-consumer") not in page.url
    page.reload()
    expect(page.get_by_label(visitor.say("token"))).to_be_visible()
    assert "Vertrouwelijk" not in page.content()


def test_a_token_that_has_expired_is_renewed_and_the_call_repeated(visit, sandbox):
    visitor = visit()
    visitor.expect_refusal(401, "/ebox/statistics$")
    visitor.open("portal-user")

    statistics, token = visitor.page.evaluate(
        """async ([base, fresh]) => {
          const { Calls } = await import("/calls.js");
          const renew = async function () { this.token = fresh; return true; };
          const connection = { baseUrl: base, token: "expired", renew };
          return [await new Calls(connection).get("/ebox/statistics"), connection.token];
        }""",
        [sandbox.base, sandbox.token("portal-user")],
    )

    assert statistics["numberOfMessages"] > 0
    assert token != "expired"


def test_each_persona_is_told_what_it_may_not_do(visit):
    visitor = visit()
    visitor.expect_refusal(403, "/")

    visitor.open("no-scope")

    expect(visitor.page.locator(".trouble").first).to_contain_text("403")


def test_a_representative_reads_the_mandators_box_and_a_citizen_has_no_folders(visit, sandbox):
    sandbox.publish(AGENCY, "Voor het agentschap", **text("Kort."))
    visitor = visit()
    visitor.expect_refusal(404, f"/refData/senderOrganizations/{BAKERY.digits}$")

    visitor.open("representative")
    expect(visitor.line("Voor het agentschap")).to_have_count(1)
    visitor.open("citizen")

    expect(visitor.line("Uw aanslagbiljet")).to_have_count(1)
    folders = visitor.page.locator(".folders a").all_inner_texts()
    assert [name.split("\n")[0] for name in folders] == [
        visitor.say("everything"),
        visitor.say("hidden"),
    ]
