"""A log that nobody takes, and a full temporary folder: all is served as if nothing were wrong."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry.sandbox.servers.processes import LOOPBACK, answers, free_port
from registry.worker.jobs import JOBS
from tests.factories import PDF
from tests.service import BASE, CONF, PublicationRequest, Service, headers

PATIENCE = 60  # seconds
REQUESTS = 1000
V2 = BASE.replace("v3", "v2")

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture(params=["full disk", "reader that reads nothing", "reader that is gone"])
def log(request):
    """The descriptor of a log that takes nothing more."""
    if request.param == "full disk":
        reader, end = None, os.open("/dev/full", os.O_WRONLY)
    else:
        reader, end = os.pipe()
    if request.param == "reader that reads nothing":
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(end, False)
        with suppress(BlockingIOError):
            while os.write(end, bytes(512)):
                pass
        os.set_blocking(end, True)
    elif reader:
        os.close(reader)
    yield end
    for descriptor in (reader, end):
        if descriptor:
            with suppress(OSError):
                os.close(descriptor)


@contextmanager
def running(command, env, log):
    """A process with all its output there; killed with all of its group at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def served(service, log, *, workers=2, **env):
    """gunicorn, its port, and that of its figures."""
    port, metrics = free_port(), free_port()
    command = ["gunicorn", "-c", CONF, "--no-control-socket", "-w", workers]
    command += ["-b", f"{LOOPBACK}:{port}"]
    env = {**service.env, "METRICS_PORT": str(metrics), **env}
    with running(command, env, log) as process:
        wait(lambda: answers(f"http://{LOOPBACK}:{port}{BASE}/health"), "it does not start")
        yield process, port, metrics


def wait(is_so, complaint, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


def ask_often(port, times):
    """Statuses of as many requests, over four connections at once."""
    statuses = []

    def ask():
        connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
        for _ in range(times // 4):
            connection.request("GET", f"{BASE}/health/live")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def ask_nonsense(port, size=8):
    """What gunicorn refuses by itself, and logs; the beginning of the answer."""
    with socket.create_connection((LOOPBACK, port), timeout=PATIENCE) as connection:
        connection.sendall(b"NON SENSE %b\r\n\r\n" % (b"x" * size))
        return connection.recv(12)


def publish_in_version_2(port, token):
    """Statuses of the same publication, made twice."""
    publication, statuses = PublicationRequest(PDF), []
    body = publication.body.replace(b'"letter"', b'"upfile1"')
    body = body.replace(b"isMainContent", b"mainContent")
    required = b'"bodyMainContent": false, "replyAuthorized": false, "messageTypeId"'
    body = body.replace(b'"messageTypeId"', required)
    connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    for _ in range(2):
        sent = headers(token, len(body), publication.key)
        connection.request("POST", f"{V2}/publishMessage", body, sent)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def scrape(port):
    """The figures: values by name and labels."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=PATIENCE) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def count_requests(port, route="/health/live"):
    return sum(
        value
        for (name, *labels), value in scrape(port).items()
        if name == "registry_request_seconds_count" and dict(labels)["route"] == BASE + route
    )


def children(process):
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def end(process):
    """Ask it to stop; exit code, and seconds that it took."""
    began = time.monotonic()
    process.terminate()
    return process.wait(PATIENCE), time.monotonic() - began


def test_all_is_answered_though_the_log_takes_nothing(service, log):
    publication = PublicationRequest(PDF)
    with served(service, log) as (process, port, metrics):
        workers = children(process)

        statuses = ask_often(port, REQUESTS)
        refusals = {ask_nonsense(port) for _ in range(200)}

        assert statuses == [200] * REQUESTS
        assert refusals == {b"HTTP/1.1 400"}
        token = service.token()
        assert publication.send(port, token)[0] == 201
        assert publication.send(port, token)[0] == 409  # it is what the first answer said
        assert publish_in_version_2(port, token) == [201, 409]
        assert count_requests(metrics) == REQUESTS
        assert children(process) == workers
        code, seconds = end(process)

    assert code == 0
    assert seconds < 20


def test_the_worker_does_its_duties_though_the_log_takes_nothing(service, log):
    service.control("DELETE", "/sandbox/events")
    port = free_port()
    with running(["registry", "worker"], {**service.env, "METRICS_PORT": str(port)}, log) as worker:
        service.serve(workers=1)
        for _ in range(3):
            status, members = PublicationRequest(PDF).send(service.port, service.token())
            assert status == 201

            wait(lambda: is_told(service, members["messageId"]), "the event is not told")  # noqa: B023

        wait(lambda: has_heartbeats(port), "a duty has stopped")
        code, seconds = end(worker)

    assert code == 0
    assert seconds < 10


def is_told(service, message_id):
    told = service.control("GET", "/sandbox/events")
    return message_id in {event["eventData"]["messageId"] for event in told}


def has_heartbeats(port):
    figures = scrape(port)
    beats = [value for (name, *_), value in figures.items() if name.endswith("heartbeat_seconds")]
    failures = [value for (name, *_), value in figures.items() if name.endswith("failures_total")]
    return len(beats) == len(JOBS) and time.time() - min(beats) < 60 and not any(failures)


def test_lines_that_were_lost_are_counted_and_told_when_somebody_reads(service):
    reader, log = os.pipe()
    with served(service, log, workers=1) as (_, port, metrics):
        while not count_lost(metrics):
            ask_nonsense(port, 8000)  # which is in the log
        for _ in range(100):
            ask_nonsense(port, 8000)

        texts = []
        thread = threading.Thread(target=lambda: texts.extend(read(reader)), daemon=True)
        thread.start()
        wait(lambda: tell_losses(texts), "nobody tells of the gap")
        assert sum(tell_losses(texts)) == count_lost(metrics) > 100
    os.close(log)
    thread.join(PATIENCE)
    os.close(reader)


def read(reader):
    with os.fdopen(os.dup(reader), encoding="utf-8") as stream:
        yield from stream


def tell_losses(texts):
    """Sizes of the gaps that the log tells of."""
    gaps = (re.search(r"(\d+) lines of log lost", text) for text in list(texts))
    return [int(gap[1]) for gap in gaps if gap]


def count_lost(port):
    return scrape(port)["registry_log_lines_lost_total",]


@pytest.fixture
def full_folder(tmp_path):
    """A folder on a file system of 64 KiB, all of them used."""
    folder = tmp_path / "full"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("Only root may mount a small file system.")
    with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)  # noqa: S607 - of the system


def test_a_full_temporary_folder_kills_nobody_and_all_is_counted(service, full_folder, tmp_path):
    with (tmp_path / "log").open("wb") as log:
        folders = {"TMPDIR": str(full_folder), "PROMETHEUS_MULTIPROC_DIR": str(full_folder)}
        with served(service, log, **folders) as (process, port, metrics):
            workers = children(process)

            statuses = ask_often(port, REQUESTS)
            for route in ("/refData/messageTypes", "/nowhere", f"/ebox/messages/{uuid4()}"):
                answers(f"http://{LOOPBACK}:{port}{BASE}{route}")

            assert statuses == [200] * REQUESTS
            assert count_requests(metrics) == REQUESTS
            assert children(process) == workers


def test_figures_outlive_the_workers_that_counted_them(service, tmp_path):
    with (tmp_path / "log").open("wb") as log, served(service, log) as (process, port, metrics):
        ask_often(port, 100)
        first = children(process)

        process.send_signal(signal.SIGHUP)
        wait(lambda: not set(first) & set(children(process)), "the workers are not replaced")
        wait(lambda: len(children(process)) == 2, "there are no others")
        wait(lambda: answers(f"http://{LOOPBACK}:{port}{BASE}/health"), "nobody answers")
        ask_often(port, 100)

        wait(lambda: count_requests(metrics) == 200, f"not 200 but {count_requests(metrics)}")
