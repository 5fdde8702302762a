"""Debian's chromium, and a visitor at the portal who notes whatever the browser complains of."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

import registry.sandbox.portal

PAGE: Final = Path(registry.sandbox.portal.__file__).parent / "page"
_CHROMIUM: Final = "/usr/bin/chromium"
_OPTIONS: Final = (
    "--headless=new",  # which shows PDF files, as browsers of people do
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_TIMEOUT: Final = 30_000  # milliseconds: machines may be slow
_QUIET: Final = """() => new Promise((resolve) => {
  let looks = 0;
  const look = () => {
    looks = document.querySelector(".inspector[aria-busy=false]") ? looks + 1 : 0;
    if (looks > 5) resolve(); else setTimeout(look, 100);
  };
  look();
})"""
# No form is among them: the one of the closed dialog is there before anything was asked for.
_SETTLED: Final = ".messages[aria-busy=false], .trouble, .sending"
DESK: Final = (1280, 900)
TELEPHONE: Final = (360, 740)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=_TIMEOUT)
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM,
            args=list(_OPTIONS),
            ignore_default_args=["--headless", "--hide-scrollbars"],
        )
        yield browser
        browser.close()


class Visitor:
    """Somebody at the portal, with a browser profile of his own."""

    def __init__(self, browser: Browser, portal: str, size=DESK, language="en", **options) -> None:
        self.portal = portal
        self.language = language
        self.words = json.loads((PAGE / "words" / f"{language}.json").read_text("utf-8"))
        width, height = size
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=f"{language}-BE",
            is_mobile=size == TELEPHONE,
            has_touch=size == TELEPHONE,
            **options,
        )
        self.context.set_default_timeout(_TIMEOUT)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.patience: list[str] = []
        self.requests: list[Request] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._count)

    def _count(self, request: Request) -> None:
        self.requests.append(request)

    def _note(self, message) -> None:
        complaint = f"{message.text} {message.location.get('url', '')}"
        is_known = any(re.search(pattern, complaint) for pattern in self.patience)
        if message.type in ("error", "warning") and not is_known:
            self.complaints.append(complaint)

    def expect_refusal(self, status: int, path: str) -> None:
        """Chromium notes each answer that is no success; of this one a test knows."""
        self.patience.append(rf"status of {status} .*/v3{path}")

    def open(self, persona: str, place: str = "#/messages") -> None:
        """Come as this persona; ready when all calls are answered."""
        query = urlencode({"persona": persona, "lang": self.language})
        self.page.goto(f"{self.portal}?{query}{place}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page has what it asked for, and asks for nothing more."""
        self.page.locator(_SETTLED).first.wait_for(state="attached")
        self.page.evaluate(_QUIET)

    def say(self, name: str, **members: object) -> str:
        """The text of this name, as the page has it in the visitor's language."""
        return self.words[name].format(**members)

    def press(self, name: str, within=None, **members: object) -> None:
        """Press the first button of which the name begins so."""
        beginning = re.compile(rf"^{re.escape(self.say(name, **members))}")
        (within or self.page).get_by_role("button", name=beginning).first.click()

    def heard(self, text: str) -> None:
        """The page tells this in its status line."""
        expect(self.page.locator(".notice")).to_contain_text(text)

    def line(self, subject: str):
        """The message of this subject in the list."""
        return self.page.locator(".message").filter(has_text=subject)

    def read(self, subject: str) -> None:
        """Open this message."""
        self.line(subject).get_by_role("link").click()
        expect(self.page.locator("article h2")).to_have_text(subject)

    def calls(self, *methods: str) -> list[str]:
        """The calls of the registry so far, as method and the URL behind the base path."""
        return [
            f"{request.method} {request.url.partition('/v3')[2]}"
            for request in self.requests
            if "/messageRegistry/v3/" in request.url and request.method in (methods or ("GET",))
        ]

    def leave(self) -> None:
        self.context.close()
