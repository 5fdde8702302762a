"""The writer of the log: in order, behind nobody's back, and never in anybody's way."""

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from registry.telemetry.log_writer import LogWriter

PATIENCE = 20  # seconds


def describe(lines):
    return f"gap of {lines}"


@contextmanager
def a_pipe():
    """Both ends of a pipe that takes 64 KiB; whoever still writes when it is over is let go."""
    reader, end = os.pipe()
    try:
        yield reader, end
    finally:
        # Never closed: a writer that still tries would find another file under its number.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, end)
        os.close(null)
        with suppress(OSError):
            os.close(reader)


def read_until(reader, last):
    """All lines up to one that is known, read as they come."""
    text = ""
    with os.fdopen(os.dup(reader), encoding="utf-8") as stream:
        for line in stream:
            text += line
            if line == f"{last}\n":
                return text.splitlines()
    raise AssertionError(f"{last} does not come")


def test_lines_are_written_whole_and_in_their_order(tmp_path):
    lines = [f"{number} {'é' * (number % 3000)}" for number in range(2000)]
    with (tmp_path / "log").open("wb") as file:
        writer = LogWriter(file.fileno(), describe)

        for line in lines:
            writer.write(line)
        writer.flush(PATIENCE)

    assert (tmp_path / "log").read_text().splitlines() == lines
    assert writer.lost_lines == 0


def test_lines_of_many_threads_stay_whole_and_each_thread_keeps_its_order(tmp_path):
    with (tmp_path / "log").open("wb") as file:
        writer = LogWriter(file.fileno(), describe)
        threads = [
            threading.Thread(target=lambda n=n: [writer.write(f"{n} {i}") for i in range(500)])
            for n in range(8)
        ]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.flush(PATIENCE)

    pairs = [tuple(map(int, line.split())) for line in (tmp_path / "log").read_text().splitlines()]
    for n in range(8):
        assert [i for of, i in pairs if of == n] == list(range(500))


def fill_up(end):
    """Fill a pipe with empty lines, so that nothing of what is written gets anywhere."""
    os.set_blocking(end, False)
    with suppress(BlockingIOError):
        while True:
            os.write(end, b"\n" * select.PIPE_BUF)
    os.set_blocking(end, True)


def test_nobody_waits_for_a_reader_that_reads_nothing_and_what_is_lost_is_told_in_its_place():
    with a_pipe() as (reader, end):
        fill_up(end)
        writer = LogWriter(end, describe, most=100_000)

        began = time.monotonic()
        for number in range(50_000):
            writer.write(f"line {number}")
        assert time.monotonic() - began < PATIENCE
        lost = writer.lost_lines
        assert lost > 30_000
        threading.Thread(target=lambda: (writer.flush(PATIENCE), writer.write("end"))).start()
        lines = [line for line in read_until(reader, "end") if line]

    kept = 50_000 - lost
    assert lines == [*(f"line {number}" for number in range(kept)), f"gap of {lost}", "end"]
    assert writer.lost_lines == lost


def test_a_reader_that_is_slow_is_told_of_few_gaps_that_add_up():
    with a_pipe() as (reader, end):
        writer = LogWriter(end, describe, most=20_000)
        texts = []
        thread = threading.Thread(target=lambda: texts.extend(read_until(reader, "end")))
        thread.start()

        for number in range(30_000):
            writer.write(f"line {number}")
        writer.flush(PATIENCE)
        writer.write("end")
        thread.join(PATIENCE)

    gaps = [int(line.split()[-1]) for line in texts if line.startswith("gap")]
    numbers = [int(line.split()[-1]) for line in texts if line.startswith("line")]
    assert numbers == sorted(numbers)
    assert sum(gaps) == writer.lost_lines == 30_000 - len(numbers)
    assert len(gaps) < len(numbers) / 10


@pytest.mark.parametrize("illness", ["full disk", "nobody reads"])
def test_what_could_not_be_written_is_written_when_that_is_over(illness, tmp_path):
    with (tmp_path / "log").open("wb") as file, a_pipe() as (reader, end):
        os.close(reader)
        if illness == "full disk":
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, end)
            os.close(full)
        writer = LogWriter(end, describe)
        for number in range(100):
            writer.write(f"line {number}")
        time.sleep(0.2)

        os.dup2(file.fileno(), end)
        writer.write("later")
        writer.flush(PATIENCE)

    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == [*(f"line {number}" for number in range(100)), "later"]


def test_a_pipe_that_is_set_not_to_block_gets_all():
    with a_pipe() as (reader, end):
        os.set_blocking(end, False)
        writer = LogWriter(end, describe)

        for number in range(20_000):
            writer.write(f"line {number}")
        writer.write("end")
        lines = read_until(reader, "end")

    assert len(lines) == 20_001


def test_nobody_waits_long_at_the_end():
    with a_pipe() as (_reader, end):
        writer = LogWriter(end, describe)
        for number in range(20_000):
            writer.write(f"line {number}")

        began = time.monotonic()
        writer.flush(0.2)

        assert time.monotonic() - began < 5


def run(script, **options):
    """A process of its own, whose output is collected unless `options` say otherwise."""
    options = {"capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run([sys.executable, "-c", script], check=False, **options)


FORKING = """
import os, threading, time
from registry.telemetry import output
stop = threading.Event()
def write(name):
    number = 0
    while not stop.is_set():
        output.STDOUT.write(f"{name} {number}")
        number += 1
        time.sleep(0)
threads = [threading.Thread(target=write, args=(f"parent-{n}",)) for n in range(4)]
for thread in threads: thread.start()
for child in range(20):
    if not (pid := os.fork()):
        for number in range(100):
            output.STDOUT.write(f"child-{child} {number}")
        output.flush()
        os._exit(0)
    os.waitpid(pid, 0)
stop.set()
for thread in threads: thread.join()
"""


@pytest.mark.process
def test_a_process_that_is_forked_in_the_midst_of_it_writes_its_own_lines_and_no_other():
    done = run(FORKING)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for name in [f"child-{child}" for child in range(20)]:
        assert [line for line in lines if line.startswith(f"{name} ")] == [
            f"{name} {number}" for number in range(100)
        ]
    kept = [line for line in lines if re.fullmatch(r"parent-\d \d+", line)]
    assert len(kept) == len(set(kept))


SIGNALS = """
import signal
from registry.telemetry import output
signal.signal(signal.SIGALRM, lambda *_: output.STDOUT.write("signal"))
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
for number in range(60_000):
    output.STDOUT.write(f"line {number}")
signal.setitimer(signal.ITIMER_REAL, 0)
"""


@pytest.mark.process
def test_a_signal_in_the_midst_of_a_line_may_log_too():
    done = run(SIGNALS)

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert "signal" in lines
    assert [line for line in lines if line.startswith("line")] == [
        f"line {number}" for number in range(60_000)
    ]


ENDING = """
from registry.telemetry import logs
import structlog
logs.configure("INFO")
for number in range(10_000):
    structlog.get_logger("registry.test").info("line", number=number)
"""


@pytest.mark.process
def test_a_process_writes_its_last_lines_before_it_ends():
    done = run(ENDING)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 10_000


@pytest.mark.process
def test_a_process_that_nobody_reads_ends_all_the_same():
    with a_pipe() as (_reader, end):
        process = subprocess.Popen([sys.executable, "-c", ENDING], stdout=end)
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


CLOSED = """
import os, sys, time
assert sys.stdout is None
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
assert file == 1
from registry.telemetry import logs, output
import structlog
logs.configure("INFO")
structlog.get_logger("registry.test").info("line")
output.STDOUT.flush(1)
"""


@pytest.mark.process
def test_an_output_that_was_closed_is_not_taken_for_what_has_its_number_now(tmp_path):
    script, file = tmp_path / "script.py", tmp_path / "something else"
    script.write_text(CLOSED)
    command = 'exec "$0" "$1" "$2" >&-'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, script, file], check=False, timeout=60
    )

    assert done.returncode == 0
    assert file.read_bytes() == b""


@pytest.mark.process
def test_a_killed_reader_takes_nobody_along():
    with a_pipe() as (reader, end):
        process = subprocess.Popen([sys.executable, "-c", ENDING], stdout=end)
        os.close(reader)
        assert process.wait(30) != -signal.SIGPIPE
        assert process.returncode == 0
