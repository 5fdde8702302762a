"""docs/run-it-for-real.md, word for word: from a release to a portal that reads.

In a bare folder, from the wheel, with Debian's nginx, and TLS everywhere.
"""

import json
import os
import re
import shutil
import ssl
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from registry.sandbox.servers.processes import Process
from tests.installed.conftest import CHECKOUT, is_of_machine
from tests.installed.surroundings import DOCUMENT, Surroundings
from tests.nginx import needs_nginx

pytestmark = [
    pytest.mark.process,
    needs_nginx,
    pytest.mark.skipif(os.geteuid() != 0, reason="Debian's nginx writes where root alone may"),
    pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed"),
]

ORIGIN = "https://wwwacc.eboxenterprise.be"
BASE = "/REST/ebox/enterprise/messageRegistry/v3"
ARRIVED = "the last step is done"
PATIENCE = 900  # seconds, for a machine that does much else; alone it takes two minutes


def read_page():
    """Read the page."""
    return (CHECKOUT / "docs" / "run-it-for-real.md").read_text()


def list_blocks(language):
    """List its blocks of this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read_page(), re.MULTILINE | re.DOTALL)


class Walk:
    """All steps in one shell, as somebody types them; what they start lives until the end."""

    def __init__(self, surroundings):
        self.surroundings, self.folder = surroundings, surroundings.folder
        self.log = surroundings.area / "walk.log"
        self.process = Process("The walk", self.log)

    def go(self):
        script = self.surroundings.area / "steps.sh"
        steps = [f"echo '== {number}'\n{block}" for number, block in enumerate(list_blocks("sh"))]
        script.write_text("\n".join([*steps, f"echo '== {ARRIVED}'", "wait"]))
        inherited = {name: text for name, text in os.environ.items() if is_of_machine(name)}
        clean = ["env", "-i", *(f"{name}={text}" for name, text in inherited.items())]
        clean += [f"HOME={self.surroundings.home}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        self.process.start([*clean, "bash", "-euo", "pipefail", script], cwd=self.folder)
        self.process.wait_until(lambda: ARRIVED in self.log.read_text(), timeout=PATIENCE)

    def read_step(self, number):
        """Read what a step said; -1 is the last one."""
        return self.log.read_text().split("== ")[1:-1][number].partition("\n")[2]

    def read_events(self):
        """Read what the federation was told."""
        path = self.surroundings.area / "events.jsonl"
        return path.read_text() if path.exists() else ""

    def list_environments(self, program):
        """List the environments of processes that run a program of the walk."""
        name = str(self.folder / "venv" / "bin" / program).encode()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if name in path.read_bytes().split(b"\0"):
                    yield (path.parent / "environ").read_text()

    def ask(self, path, method="GET", **headers):
        """Ask the registry from outside, as the portal's code does."""
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        url = f"https://localhost:{self.surroundings.front}{BASE}{path}"
        request = urllib.request.Request(url, method=method, headers=headers)
        context = ssl.create_default_context(cafile=self.surroundings.bundle)
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        return urllib.request.build_opener(*handlers).open(request, timeout=30)


@pytest.fixture(scope="module")
def walk(release, tmp_path_factory):
    area = tmp_path_factory.mktemp("walk")
    area.chmod(0o755)
    folder = area / "bare"
    folder.mkdir()
    shutil.copytree(release, folder / "release")
    with Surroundings(area, folder) as surroundings:
        surroundings.prepare()
        walk = Walk(surroundings)
        try:
            walk.go()
            yield walk
        finally:
            walk.process.stop()


@pytest.fixture(scope="module")
def listing(walk):
    """Headers and messages that the last step showed."""
    head, _, body = walk.read_step(-1).replace("\r", "").partition("HTTP/")[2].partition("\n\n")
    return head.lower(), json.loads(body)


def test_the_page_says_what_to_have_ready(tmp_path):
    """Nothing that is given to the steps but what the page names, and where the stand-ins are."""
    (example,) = list_blocks("ini")
    surroundings = Surroundings(tmp_path / "area", tmp_path)
    stand_ins = surroundings.list_stand_ins()

    named = [line.partition("=")[0] for line in example.splitlines()]
    assert named == list(surroundings.list_settings())
    assert not set(named) & set(stand_ins)


def test_the_page_has_steps_and_nothing_that_is_not_one():
    text = read_page()

    assert len(list_blocks("sh")) == len(re.findall(r"^\d\. ", text, re.MULTILINE))
    assert len(text.splitlines()) < 120


def test_the_portal_reads_what_was_published(listing):
    _, page = listing

    (message,) = page["items"]
    assert message["subject"]["nl"] == "Hallo"
    assert message["sender"]["enterpriseNumber"] == "0308357159"


def test_its_code_is_allowed_to_by_its_origin(listing):
    head, _ = listing

    assert head.startswith("2 200")
    assert f"access-control-allow-origin: {ORIGIN}\n" in head
    assert "access-control-expose-headers: " in head
    assert "strict-transport-security: " in head


def test_it_may_ask_beforehand(walk):
    wish = {
        "Access_Control_Request_Method": "GET",
        "Access_Control_Request_Headers": "Authorization",
    }

    with walk.ask("/ebox/messages", "OPTIONS", Origin=ORIGIN, **wish) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "GET" in answer.headers["Access-Control-Allow-Methods"]
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_another_origin_is_not(walk):
    with walk.ask("/health/live", Origin="https://elsewhere.example") as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_it_reads_the_document_which_nginx_hands_out(walk, listing):
    (message,) = listing[1]["items"]
    (attachment,) = message["attachments"]["items"]
    path = attachment["contentHref"].partition(BASE)[2]
    token = (walk.folder / "portal-token").read_text().strip()

    with walk.ask(path, Origin=ORIGIN, Authorization=f"Bearer {token}") as answer:
        assert answer.read() == DOCUMENT
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert '"upstream":"' in (walk.folder / "nginx.log").read_text()


def test_the_federation_is_told(walk, listing):
    (message,) = listing[1]["items"]

    walk.process.wait_until(lambda: message["messageId"] in walk.read_events(), timeout=60)


def test_all_whom_the_settings_name_were_well(walk):
    assert "0 faults" in walk.read_step(-1)


def test_web_servers_know_no_secret_of_the_worker(walk):
    """Of the environment; systemd keeps the files from them too."""
    for program, is_given in (("gunicorn", False), ("registry", True)):
        (environment, *_) = walk.list_environments(program)
        assert ("REGISTRY_DATABASE_WORKER_URL_FILE" in environment) is is_given
