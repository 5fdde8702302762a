"""What the benches of scale rely on, without any of their servers."""

import json
import shutil
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree as ET

import pytest

from registry.domain.identifiers import EnterpriseNumber
from tests.bench.scale.eboxes import FilledEbox, Population
from tests.bench.scale.generator import KEY, Load, Step, run_load
from tests.bench.scale.letters import ABSENT, COMMON, RARE, list_letters
from tests.bench.scale.loading import share_out
from tests.bench.scale.page import list_runs, write_page
from tests.bench.scale.results import FOLDER, make_document, write_document
from tests.bench.scale.rows import COLUMNS, StoredDocument, make_batches
from tests.bench.scale.verdicts import BOUNDS, Comparison, Findings, Verdict
from tests.bench.scale.wire import make_get, make_request

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DOCUMENT = StoredDocument("documents/a", 1000, "digest")
CONDITIONS = {
    "remark": "A busy machine.", "processors": 2, "processor": "some", "memoryGiB": 24,
    "python": "3.11", "postgres": "15", "postgresSettings": {"fsync": "off"}, "commit": "abc",
    "loadAverage": {"beginning": 1.0}, "databases": {},
}  # fmt: skip


@pytest.mark.parametrize("messages", [10_000, 1_000_000])
def test_a_population_has_as_many_messages_as_it_says_and_a_whale(messages):
    eboxes = list(Population(messages))

    assert sum(each.messages for each in eboxes) == messages + Population(messages).whale.messages
    assert len({each.key for each in eboxes}) == len(eboxes)
    assert EnterpriseNumber.parse(eboxes[0].number, check_digits=True)


def test_tasks_share_all_messages_out():
    eboxes = [FilledEbox("enterprise:1", 70), FilledEbox("enterprise:2", 30)]

    tasks = list(share_out(eboxes, 40))

    assert [sum(each.messages for each in task) for task in tasks] == [40, 40, 20]
    assert tasks[1] == [FilledEbox("enterprise:1", 30), FilledEbox("enterprise:2", 10)]


def test_rows_have_all_columns_and_are_the_same_again():
    eboxes = [FilledEbox("enterprise:0500000059", 300), FilledEbox("citizen:50410014231", 300)]

    first, again = (list(make_batches(eboxes, DOCUMENT, NOW, 600, 1)) for _ in range(2))

    assert first == again
    lines = first[0].lines
    for table, columns in COLUMNS.items():
        assert {line.count("\t") for line in lines[table]} == {columns.count(",")}, table
    counts = {table: len(each) / 600 for table, each in lines.items()}
    assert counts["attachments"] == pytest.approx(1.5, rel=0.1)
    assert counts["outbox"] == pytest.approx(1.6, rel=0.1)


def test_one_word_is_common_one_rare_and_one_in_no_letter():
    subjects = Counter(letter.subject for letter in list_letters())

    shares = {
        word: sum(count for subject, count in subjects.items() if word in subject) / 1000
        for word in (COMMON, RARE, ABSENT)
    }

    assert shares == {COMMON: 0.3, RARE: 0.001, ABSENT: 0}


@pytest.mark.parametrize(("name", "kept", "broken"), [("bare", 1.5, 1.51), ("kinto", 3.0, 2.99)])
def test_a_promise_is_kept_on_its_side_of_the_limit(name, kept, broken):
    assert Verdict(name, kept, {}).holds
    assert not Verdict(name, broken, {}).holds


def test_a_run_has_a_page_with_plots_and_is_listed(tmp_path):
    shutil.copy(FOLDER / "README.md", tmp_path)
    findings = Findings(
        [Verdict(name, 2.0, {"a, ms": 1.0}, (1.0, 3.0), "a <slow> statement") for name in BOUNDS],
        [Comparison("Downloads & more", "MiB/s", {"direct S3": 200.0, "registry": 100.0})],
    )

    path = write_document(make_document("bench-full", findings, CONDITIONS), tmp_path)
    page = write_page(path)
    list_runs(tmp_path)
    list_runs(tmp_path)

    assert json.loads(path.read_text())["comparisons"][0]["ratios"]["registry"] == 0.5
    text = page.read_text()
    for name in BOUNDS:
        assert BOUNDS[name][0] in text
    assert "A busy machine." in text
    plots = list(path.with_suffix("").glob("*.svg"))
    assert len(plots) == 2
    for plot in plots:
        assert f"{plot.parent.name}/{plot.name}" in text
        ET.fromstring(plot.read_text())  # noqa: S314 - written above
    assert (tmp_path / "README.md").read_text().count(f"]({page.name})") == 1


@pytest.fixture
def server():
    """Answers with the key of idempotency that it was sent, in chunks when asked for /chunks."""
    keys = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")

        def do_POST(self):
            keys.append(self.headers["Idempotency-Key"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503 if len(keys) > 2 else 201)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, keys
    server.shutdown()
    server.server_close()


def test_clients_count_what_is_answered_and_each_request_has_its_own_key(server):
    port, keys = server
    request = make_request("POST", "/", headers={"Idempotency-Key": KEY.decode()}, body=b"abc")
    script = [Step("publication", request), Step("listing", make_get("/chunks"))]

    answers = run_load(Load(port, [script], count=6))

    assert len(set(keys)) == 3
    assert KEY.decode() not in keys
    assert answers.statuses == {201: 2, 200: 3, 503: 1}
    assert answers.failures == 1
    assert {kind: len(times) for kind, times in answers.times.items()} == {
        "publication": 3,
        "listing": 3,
    }
