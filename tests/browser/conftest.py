"""Debian's chromium, without a network, driven by Playwright."""

import shutil
from dataclasses import dataclass, field
from typing import Final

import pytest
from playwright.sync_api import Page, expect, sync_playwright

PATIENCE: Final = 60_000  # milliseconds, for a machine that does much else
CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # There is no network but this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@dataclass
class Watch:
    """A page, and what went wrong in it."""

    page: Page
    faults: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self):
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", lambda request: self.faults.append(request.url))
        self.page.on("request", self._note_request)

    def _note_message(self, message):
        # Violations of a Content-Security-Policy are told here, too.
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _note_request(self, request):
        if request.url.startswith("http"):
            self.hosts.add(request.url.split("/")[2])


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests of the folder."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def watch(browser):
    """A page of a visitor who was never here, and all its troubles."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield Watch(context.new_page())
    context.close()
