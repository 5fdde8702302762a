"""The command: callers from a file, reports into files, what it lists and explains."""

import ast
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

import registry.conformance as package
from registry.cli import registry
from registry.conformance.catalogue import list_requirements
from registry.conformance.requirement import Obligation
from registry.sandbox.personas import BAKERY, PERSONAS
from tests.yardstick.conftest import ORIGIN

BASE = "/REST/ebox/enterprise/messageRegistry/v3"


@pytest.fixture
def callers_file(federation, tmp_path):
    keys = federation.directory / "keys"
    path = tmp_path / "callers.toml"
    path.write_text(
        f'token_url = "{federation.token_url}"\n'
        "[consumer]\n"
        f'client_id = "{PERSONAS["enterprise-consumer"].client_id}"\n'
        f'key = "{keys}/enterprise-consumer.pem"\n'
        "[other]\n"
        f'client_id = "{PERSONAS["other-enterprise"].client_id}"\n'
        f'key = "{keys}/other-enterprise.pem"\n'
        'algorithm = "ES384"\n'
    )
    return path


def type_command(*words):
    return CliRunner().invoke(registry, ["conformance", *map(str, words)])


def test_a_run_writes_its_reports(front, callers_file, tmp_path):
    page, junit, members = (tmp_path / name for name in ("r.html", "r.xml", "r.json"))

    done = type_command(
        *(front.origin + BASE, "--callers", callers_file, "--origin", ORIGIN),
        *("--only", "token-*", "--only", "isolation-*"),
        *("--html", page, "--junit", junit, "--json", members),
    )

    assert done.exit_code == 0, done.output
    report = json.loads(members.read_text())
    verdicts = {item["id"]: item["verdict"] for item in report["requirements"]}
    assert verdicts["isolation-message"] == "pass"
    assert verdicts["token-expired"] == "not testable"
    assert set(verdicts) == {name for name in verdicts if name.startswith(("token-", "isolation-"))}
    suites = ET.parse(junit).getroot()  # noqa: S314 - we wrote it
    assert suites.get("tests") == str(len(verdicts))
    assert len(suites.findall(".//skipped")) == report["counts"]["not testable"]
    html = page.read_text()
    assert "<script" not in html
    assert "http-equiv" in html
    assert {path.name for path in tmp_path.iterdir()} == {
        *("r.html", "r.xml", "r.json", "callers.toml")
    }
    for text in (html, junit.read_text(), members.read_text(), done.output):
        assert BAKERY.digits not in text


def test_what_lacks_a_caller_is_said(front, federation, token):
    done = type_command(front.origin + BASE, "--token", token, "--only", "isolation-message")

    assert done.exit_code == 0
    assert "somebody who reads another e-Box" in " ".join(done.output.split())
    assert "1 not testable here" in done.output


@pytest.fixture
def token(callers):
    return callers("enterprise").parties["consumer"].access.get_token()


def test_a_token_is_read_from_standard_input(front, token):
    command = ["conformance", front.origin + BASE, "--token", "-", "--only", "order-*"]

    done = CliRunner().invoke(registry, command, input=f"{token}\n")

    assert done.exit_code == 0
    assert "1 met, 0 not met" in done.output


def test_the_exit_code_says_how_much_a_failure_binds(stand, token):
    picky = stand(refuse_unknown_parameters=True)

    done = type_command(picky.origin + BASE, "--token", token, "--only", "tolerance-parameters")

    assert done.exit_code == 4


def test_who_breaks_a_run_off_leaves_nothing_in_sight(examine, front, callers):
    def stop(ruling):
        if ruling.requirement.id == "publish-receipt":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(front, profile="acceptance", only=["publish-*"], watch=stop)

    token = callers("enterprise").parties["consumer"].access.get_token()
    headers = {"Authorization": f"Bearer {token}"}
    newest = requests.get(f"{front.origin}{BASE}/ebox/messages", headers=headers, timeout=30)
    assert newest.json()["items"][0]["isVisible"] is False


def test_it_lists_and_explains(front):
    listed = CliRunner().invoke(
        registry, ["conformance", front.origin + BASE, "--list"], env={"COLUMNS": "200"}
    )
    explained = type_command("--explain", "digest-mismatch")

    assert "order-newest-first" in listed.output
    assert "digest-mismatch" not in listed.output  # production publishes nothing
    assert "DIGEST_DO_NOT_MATCH" in explained.output
    assert listed.exit_code == explained.exit_code == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[", "is no TOML"),
        ("[nobody]\n", "there is no part [nobody]"),
        ('client_id = "x"\n', "belongs into the table of a caller"),
        ("[consumer]\n", "token_url is missing"),
        ('[consumer]\ntokn = "x"\n', "tokn: there is no such member"),
        ("[consumer]\ntoken = 1\n", "token must be a text"),
        ('[consumer]\ntoken_file = "nowhere"\n', "cannot be read"),
        (
            '[consumer]\ntoken_url = "x"\nclient_id = "x"\nkey = "callers.toml"\nalgorithm = "x"\n',
            "algorithm is none of",
        ),
    ],
)
def test_a_file_of_callers_that_cannot_be_used_is_told(tmp_path, text, fault):
    path = tmp_path / "callers.toml"
    path.write_text(text)

    done = type_command("https://registry.example/v3", "--callers", path)

    assert done.exit_code == 2
    assert fault in done.output


def test_a_report_that_cannot_be_written_is_told(front, token, tmp_path):
    done = type_command(
        *(front.origin + BASE, "--token", token, "--only", "order-*"),
        *("--html", tmp_path / "no" / "folder.html"),
    )

    assert done.exit_code == 1
    assert "folder.html cannot be written: no such file or directory." in done.output


def test_requirements_are_whole():
    requirements = list_requirements()

    assert len({item.id for item in requirements}) == len(requirements) >= 150
    for item in requirements:
        assert item.title, item.id
        assert item.mend.endswith((".", "…")), item.id
        assert any(word in item.source for word in ("contract", "RFC", "BRG", "decision", "OWASP"))
        # What only we have decided binds nobody else, unless it guards somebody's e-Box.
        if item.source.startswith("decision") and item.obligation is Obligation.MUST:
            guards = item.theme in ("isolation", "partitions")
            assert guards or item.id in ("move-locked", "event-stranger"), item.id


def test_it_imports_no_other_room():
    folder = Path(package.__file__).parent
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.ImportFrom(module=str(name), level=0):
                    names.add(name)
                case ast.Import():
                    names |= {alias.name for alias in node.names}
    ours = {name for name in names if name.split(".")[0] == "registry"}

    assert {name for name in ours if not name.startswith("registry.conformance")} == {"registry"}
