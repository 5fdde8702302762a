"""`registry drill restore`: what it tells is what is lost, and it leaves nothing running."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from registry.cli import registry
from registry.sandbox.drill.report_page import ReportPage
from registry.sandbox.layout import Layout
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.sandbox.servers.seaweed import ObjectStore

PAGE = "<!-- begin: A restore -->\n<!-- end: A restore -->\n"


def run(*options):
    return CliRunner().invoke(registry, ["drill", "restore", *map(str, options)])


@pytest.fixture
def folder():
    """One that PostgreSQL's user can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.journey
def test_what_is_absent_is_named_and_filed_again(folder):
    page = folder / "page.md"
    page.write_text(PAGE)

    done = run("--dir", folder / "box", "--publish-for", 3, "--json", "--report", page)

    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    absences = {line["messageId"] for line in result["absent"]}
    everything = read_ledger(folder / "box")
    assert result["faults"] == []
    assert 3 <= len(absences) < result["acknowledged"] < len(everything)
    assert absences < everything
    assert {(line["isStray"], line["isLost"]) for line in result["absent"]} == {(True, False)}
    assert 0 < result["rpoSeconds"] < result["rtoSeconds"]
    assert "are lost. Resumed by" in result["knownBreak"]
    assert f"| absent, of {result['acknowledged']} " in page.read_text()
    layout = Layout.at(folder / "box")
    assert look_into(layout) == (everything, everything)
    assert layout.read_any_document() == {}


def read_ledger(directory):
    lines = (directory / "ledger.jsonl").read_text().splitlines()
    return {json.loads(line)["message_id"] for line in lines}


def look_into(layout):
    """What of the ledger's messages the database has, and for which the bucket has a document."""
    known = read_ledger(layout.directory)
    with (
        Cluster(layout.postgres) as cluster,
        psycopg.connect(cluster.url(SUPERUSER)) as connection,
    ):
        rows = {str(row[0]) for row in connection.execute("SELECT message_id FROM messages")}
    with ObjectStore(layout.objects) as store:
        client = store.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        client.close()
    stored = {key.removeprefix("documents/").rpartition("-")[0] for key in keys}
    return known & rows, known & stored


# Bad input


def test_a_port_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        done = run("--port", port)

    assert done.exit_code == 1
    assert f"Port {port} is in use" in done.stderr


def test_a_folder_of_somebody_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()

    done = run("--dir", tmp_path)

    assert done.exit_code == 1
    assert "not empty and not a sandbox" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_page_without_the_section_is_refused_before_anything_starts(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n")

    done = run("--dir", tmp_path / "box", "--report", page)

    assert done.exit_code == 1
    assert 'must have the lines "<!-- begin: A restore -->"' in done.stderr
    assert not (tmp_path / "box").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--rewind", 20), "--rewind must be shorter than --publish-for"),
        (("--senders", 0), "--senders"),
        (("--archive-every", 1), "--archive-every"),
        (("--publish-for", "soon"), "--publish-for"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(options, complaint):
    done = run(*options)

    assert done.exit_code == 2
    assert complaint in done.stderr


def test_the_page_of_this_project_has_a_place_for_it():
    ReportPage(Path(__file__).parents[2] / "docs" / "durability.md").require_section("A restore")


# However it ends, it leaves nothing


@pytest.mark.journey
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_nothing_stays_behind(folder, number, code):
    drill = subprocess.Popen(
        [sys.executable, "-m", "registry", "drill", "restore", "--publish-for", "600"],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        pids = wait_until_it_publishes(folder, drill)
        drill.send_signal(number)
        output, _ = drill.communicate(timeout=120)
    finally:
        drill.kill()

    assert drill.returncode == code, output
    assert code != 130 or "Stopped" in output
    deadline = time.monotonic() + 15
    while not (all(map(is_gone, pids)) and is_empty(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(map(is_gone, pids))
    assert is_empty(folder)


def wait_until_it_publishes(folder, drill):
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and drill.poll() is None:
        if any(folder.glob("registry-drill-*/sandbox/ledger.jsonl")):
            (box,) = folder.glob("registry-drill-*/sandbox")
            return list(Layout.at(box).read_document()["processes"].values())
        time.sleep(0.1)
    raise AssertionError(f"nothing is published: {drill.communicate(timeout=5)[0]}")


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def is_empty(folder):
    return not any(folder.glob("registry-drill-*"))
