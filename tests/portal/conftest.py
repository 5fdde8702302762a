"""One sandbox and one browser for all of the folder: both take long to start."""

import json
import tempfile
from pathlib import Path

import pytest
import requests

from registry.sandbox import tokens
from registry.sandbox.layout import Layout
from registry.sandbox.personas import AGENCY, PERSONAS
from registry.sandbox.portal.process import Portal
from registry.sandbox.seeds.papers import letter
from registry.sandbox.servers.processes import free_port
from registry.sandbox.supervisor import Supervisor
from tests.portal.browser import Visitor, chromium


class Sandbox:
    """A sandbox that is up, and what tests do with it beside the browser."""

    def __init__(self, layout, document):
        self.layout = layout
        self.portal = document["portalUrl"]
        self.base = document["baseUrls"]["enterprise"]["v3"]
        self._token_url = document["tokenUrl"]
        self._tokens = {}

    def token(self, persona):
        if persona not in self._tokens:
            token = tokens.fetch(self._token_url, PERSONAS[persona], self.layout.keys)
            self._tokens[persona] = token
        return self._tokens[persona]

    def publish(self, recipient, subject, files=None, **members):
        """Publish a message of the agency without the portal; gives its id."""
        message = {
            "sender": {"eboxType": "enterprise", "enterpriseNumber": AGENCY.digits},
            "recipient": {"eboxType": "enterprise", "enterpriseNumber": recipient.digits},
            "subject": {"nl": subject},
            "senderApplicationId": "sandbox-sender",
            "messageTypeId": "tax-assessment",
            **members,
        }
        parts = {"messageToPublish": (None, json.dumps(message))}
        answer = requests.post(
            f"{self.base}/ebox/messages",
            files={**parts, **(files or {})},
            headers={"Authorization": f"Bearer {self.token('sender')}"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["messageId"]


@pytest.fixture(scope="module")
def sandbox():
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # PostgreSQL's user has to get in
        layout = Layout.at(Path(name) / "sandbox")
        with Supervisor(layout, free_port(), say=print).up() as document:
            yield Sandbox(layout, document)


@pytest.fixture(scope="module")
def elsewhere(sandbox, tmp_path_factory):
    """The same portal at an address that the registry does not know."""
    with Portal(sandbox.layout, log=tmp_path_factory.mktemp("portal") / "log") as portal:
        yield portal.url


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, sandbox):
    """Makes visitors, of whom none may have heard the browser complain but of what a test names."""
    visitors = []

    def make(size=(1280, 900), language="en", portal=None, **options):
        visitors.append(Visitor(browser, portal or sandbox.portal, size, language, **options))
        return visitors[-1]

    yield make
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.leave()
    assert complaints == []


@pytest.fixture
def pdf():
    """A document to send, as a browser takes it from a disk."""
    return {
        "name": "brief ë.pdf",
        "mimeType": "application/pdf",
        "buffer": letter("Brief"),
    }
