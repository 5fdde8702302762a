"""The steps of a journey through the portal, each with what has to be seen there."""

import base64
import re

from playwright.sync_api import expect

from registry.sandbox.personas import BAKERY

# A file that is dropped, as no test can move a mouse from outside of the browser.
DROP = """(zone, [name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type }));
  for (const event of ["dragover", "drop"])
    zone.dispatchEvent(new DragEvent(event, { dataTransfer, bubbles: true, cancelable: true }));
}"""


def publish(visitor, subject, pdf):
    """The sender drops a document, fills in the form, and sees that nobody has read it yet."""
    page = visitor.page
    visitor.open("sender", "#/sent")
    content = base64.b64encode(pdf["buffer"]).decode()
    page.locator(".drop").evaluate(DROP, [pdf["name"], pdf["mimeType"], content])
    page.get_by_label(visitor.say("to.number")).fill(BAKERY.digits)
    page.get_by_label(visitor.say("type"), exact=True).select_option("tax-assessment")
    page.get_by_label("nl", exact=True).last.fill(subject)
    page.get_by_label(visitor.say("action.ask")).fill("Doe iets")
    page.get_by_label(visitor.say("reply.allow")).check()
    visitor.press("publish")
    visitor.heard(visitor.say("published"))
    expect(sent(visitor, subject)).to_contain_text(visitor.say("unread"))
    assert fits(page)


def find_and_read(visitor, subject):
    """The reader finds it bold, searches for it, opens its document; it is bold no more."""
    page = visitor.page
    choose_persona(visitor, "portal-user")
    expect(page.locator(".folders .badge").first).to_be_visible()
    assert fits(page)
    unread = page.locator(".message.unread").filter(has_text=subject)
    expect(unread).to_have_count(1)
    assert weight(unread.locator(".subject")) >= 700
    page.get_by_role("searchbox").fill(subject.upper())
    visitor.press("search")
    expect(page.locator(".message")).to_have_count(1)
    visitor.read(subject)
    expect(unread).to_have_count(1)  # to look at a message is not to read it
    visitor.press("open")
    expect(page.locator(".paper iframe")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text(visitor.say("read"))
    with page.expect_download() as download:
        visitor.press("download")
    assert download.value.suggested_filename == "brief ë.pdf"
    assert fits(page)


def act_and_reply(visitor, subject, pdf):
    page = visitor.page
    visitor.press("execute")
    visitor.heard(visitor.say("executed"))
    expect(page.locator(".action.done")).to_be_visible()
    visitor.press("reply")
    form = page.get_by_role("form", name=visitor.say("reply"))
    form.get_by_label(visitor.say("text"), exact=True).fill("In orde.")
    form.locator("input[type=file]").set_input_files(pdf)
    visitor.press("reply.send", form)
    visitor.heard(visitor.say("replied"))


def put_in_order(visitor, subject):
    """Move the message, hide it, find it among the hidden, show it again."""
    page = visitor.page
    ordering = page.locator("article .ordering")
    ordering.get_by_role("combobox").select_option("partitionB")
    visitor.press("move", ordering)
    visitor.heard(visitor.say("moved", folder="partitionB", total=1))
    visitor.press("hide", ordering)
    visitor.heard(visitor.say("hid", total=1))
    back(visitor)
    page.get_by_role("link", name="partitionB").click()
    visitor.settle()
    expect(visitor.line(subject)).to_have_count(0)
    page.get_by_role("link", name=visitor.say("hidden")).click()
    visitor.line(subject).get_by_role("checkbox").check()
    visitor.press("show", page.locator(".list .ordering"))
    visitor.heard(visitor.say("showed", total=1))
    page.get_by_role("link", name="partitionB").click()
    expect(visitor.line(subject)).to_have_count(1)
    assert weight(visitor.line(subject).locator(".subject")) < 700


def see_nothing_of_others(visitor, subject):
    """Another enterprise has nothing of the bakery's on the page, nor by its address."""
    page = visitor.page
    address = visitor.line(subject).get_by_role("link").get_attribute("href")
    choose_persona(visitor, "other-enterprise")
    expect(page.locator(".message").first).to_be_visible()
    expect(visitor.line(subject)).to_have_count(0)
    assert subject not in page.content()
    visitor.expect_refusal(404, "/ebox/messages/[^/]+$")
    page.evaluate("address => { location.hash = address }", address)
    expect(page.locator(".trouble")).to_contain_text("404")
    assert subject not in page.content()


def follow(visitor, subject):
    """The sender sees that it was read, and finds the reply in his e-Box."""
    page = visitor.page
    choose_persona(visitor, "sender")
    expect(visitor.line(visitor.say("reply.subject", subject=subject))).to_have_count(1)
    page.get_by_role("link", name=visitor.say("send"), exact=True).click()
    expect(sent(visitor, subject)).to_contain_text(visitor.say("read"))


def choose_persona(visitor, name):
    page = visitor.page
    with page.expect_navigation(url=re.compile(f"persona={name}")):
        page.get_by_label(visitor.say("persona"), exact=True).select_option(name)
    page.evaluate("location.hash = '#/messages'")
    visitor.settle()


def back(visitor):
    """Back to the list, which on a desk stands beside the message."""
    link = visitor.page.locator("article .back a")
    if link.is_visible():
        link.click()


def sent(visitor, subject):
    return visitor.page.locator("tbody tr").filter(has_text=subject).first


def weight(locator):
    return int(locator.evaluate("element => getComputedStyle(element).fontWeight"))


def fits(page):
    """Nothing makes the reader scroll sideways."""
    return page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
