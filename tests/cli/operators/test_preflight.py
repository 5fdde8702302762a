"""`registry preflight`: what is well is green, and each fault turns its own line red."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from registry.diagnosis.preflight.own_settings import judge_environment
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.conftest import PASSWORD
from tests.cli.operators.plants import Parts
from tests.cli.operators.preflight_plants import (
    ELSEWHERE,
    IN_DATABASE,
    LATER,
    OF_SETTINGS,
    a_site,
    plant_in_settings,
    plant_inside,
    what_flips_a_bit,
)

pytestmark = [pytest.mark.process, pytest.mark.long]

LATE = "90"  # seconds: the machine may be busy with other tests


@pytest.fixture(scope="module")
def make_site(cluster, settings, environment, objects, federation, tmp_path_factory):
    """Make a registry that is well, and serves until the block is over."""
    own = environment | {"REGISTRY_FEDERATION_URL": federation.federation_url}

    def make():
        backups = tmp_path_factory.mktemp("backups")
        (backups / f"base-{datetime.now(UTC):%Y%m%dT%H%M%SZ}").mkdir()
        return a_site(cluster, settings, own, objects, backups)

    return make


@pytest.fixture(scope="module")
def site(make_site):
    with make_site() as site:
        yield site


@pytest.fixture
def look(run):
    """Look at a site, with these changes of its settings; gives exit code and lines by subject."""

    def preflight(site, changes, *options):
        command = ("preflight", "--json", "--backups", str(site.backups), "--patience", LATE)
        done = run(*command, *options, env=site.environment | changes)
        report = json.loads(done.out)
        assert PASSWORD not in done.said
        return done.code, {line["subject"]: line for line in report["lines"]}

    return preflight


def find_red(lines):
    return {name for name, line in lines.items() if line["grade"] == "fail"}


def test_where_all_is_well_nothing_is_red(look, site):
    code, lines = look(site, {})

    assert code == 0
    assert find_red(lines) == set()
    # SeaweedFS has no default encryption here, and PostgreSQL no archive.
    assert {name for name, line in lines.items() if line["grade"] == "warn"} == {
        *("WAL archive", "rights on documents", "rights on seals"),
    }
    assert len(lines) == 33


def test_a_preflight_leaves_nothing_behind(look, site):
    client = site.objects.client()

    look(site, {})

    documents = client.list_object_versions(Bucket=site.documents)
    client.close()
    assert not documents.get("Versions")
    assert not documents.get("DeleteMarkers")


RUNS = {
    "settings": dict(OF_SETTINGS),
    "inside": {name: name for name in (*IN_DATABASE, *ELSEWHERE)},
    "later": {**LATER, "bytes that are flipped": "canary document"},
}


@pytest.fixture(scope="module")
def outcomes():
    return {}


@pytest.fixture
def parts(cluster, objects, federation, site):
    parts = Parts(cluster, objects, federation, site.environment)
    yield parts
    parts.close()


@pytest.fixture
def outcome(request, outcomes, look, site, make_site, parts):
    """What a run with all of its faults tells."""
    name = request.param
    if name not in outcomes:
        if name == "settings":
            outcomes[name] = look(site, plant_in_settings(parts, OF_SETTINGS))
        elif name == "inside":
            with make_site() as another:
                database = another.urls.owner.rpartition("/")[2]
                changes = plant_inside(another, parts.cluster.url(SUPERUSER, database))
                outcomes[name] = look(another, changes)
        else:
            with what_flips_a_bit(site) as changes:
                outcomes[name] = look(site, changes | plant_in_settings(parts, LATER))
    return name, outcomes[name]


@pytest.mark.parametrize("outcome", RUNS, indirect=True)
def test_the_faults_of_a_run_turn_their_lines_red_and_no_other(outcome):
    name, (code, lines) = outcome

    assert code == 1
    assert find_red(lines) == set(RUNS[name].values()), {
        each: lines[each] for each in find_red(lines) ^ set(RUNS[name].values())
    }


@pytest.mark.parametrize(
    ("outcome", "line"),
    [(name, line) for name, faults in RUNS.items() for line in faults.values()],
    indirect=["outcome"],
)
def test_each_red_line_says_what_was_seen_and_how_to_mend_it(outcome, line):
    _, (_, lines) = outcome

    assert lines[line]["observation"]
    assert lines[line]["remedy"]


def test_more_than_thirty_faults_are_planted():
    assert sum(map(len, RUNS.values())) >= 30


@pytest.mark.parametrize("outcome", ["settings"], indirect=True)
def test_what_lies_behind_a_red_line_is_not_looked_at(outcome):
    _, (_, lines) = outcome

    line = lines["canary letter"]
    assert line["grade"] == "warn"
    assert line["observation"] == "Not looked at: database (application) is not well."
    assert line["remedy"] == "Mend database (application) first."


def test_behind_a_setting_with_a_fault_nobody_is_asked(look, site):
    code, lines = look(site, {"REGISTRY_S3_BUCKET": "no bucket"})

    assert code == 1
    assert find_red(lines) == {"settings"}
    assert lines["rights on documents"]["grade"] == "warn"
    assert lines["canary document"]["grade"] == "warn"


def test_where_nobody_serves_yet_there_is_no_more_than_a_warning(look, site):
    code, lines = look(site, {"REGISTRY_PUBLIC_URL": f"http://{LOOPBACK}:{free_port()}"})

    assert code == 0
    assert lines["public address"]["grade"] == "warn"
    assert lines["CORS from outside"]["grade"] == "warn"


def test_whoever_says_nothing_is_not_waited_for(look, site):
    silent = {"REGISTRY_CLAMD_ADDRESS": f"{LOOPBACK}:{free_port()}"}

    _, lines = look(site, silent, "--patience", "0.1")

    assert "has not ended after 0.1 seconds" in " ".join(
        line["observation"] for line in lines.values()
    )


def test_an_interrupt_ends_it_at_once_in_one_word(site, tmp_path):
    with socket.create_server((LOOPBACK, 0)) as silent:
        url = f"http://{LOOPBACK}:{silent.getsockname()[1]}/federation"
        variables = {"REGISTRY_FEDERATION_URL": url, "PATH": os.environ["PATH"], "no_proxy": "*"}
        process = subprocess.Popen(
            [sys.executable, "-m", "registry", "preflight", "--patience", LATE],
            env=site.environment | variables,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)

            out, err = process.communicate(timeout=20)

    assert process.returncode in (1, 130)
    assert out == ""
    assert "Traceback" not in err


def test_the_page_stands_alone_and_says_the_same(run, site, tmp_path):
    page = tmp_path / "preflight.html"
    variables = site.environment | {"REGISTRY_S3_BUKET": "<script>"}

    done = run("preflight", "--html", str(page), "--patience", LATE, env=variables)

    text = page.read_text(encoding="utf-8")
    assert done.code == 1
    assert "REGISTRY_S3_BUKET" in text
    for reference in ("<script", "http-equiv", "src=", "href=", "@import", "url("):
        assert reference not in text
    assert [each.name for each in tmp_path.iterdir()] == ["preflight.html"]
    assert done.out.splitlines()[-1].startswith("1 fail, ")


def test_a_page_that_cannot_be_written_is_told_in_one_sentence(run, tmp_path):
    page = tmp_path / "nowhere" / "preflight.html"

    done = run("preflight", "--html", str(page), env={})

    assert done.code == 1
    assert done.err == f"Error: {page} cannot be written: no such file or directory.\n"


@pytest.mark.parametrize(
    ("value", "wish", "grade"),
    [
        ("production", "PRD", "pass"),
        ("acceptation", "ACC", "pass"),
        ("test", None, "pass"),
        ("test", "PRD", "fail"),
        (None, "ACC", "fail"),
        (None, None, "fail"),
    ],
)
def test_another_environment_than_was_asked_for_is_a_fault(value, wish, grade):
    assert judge_environment(value, wish).grade == grade
