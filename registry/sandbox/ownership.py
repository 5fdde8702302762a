"""Ownership of a sandbox directory: one supervisor at a time, and cleaning up after a crash."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from registry.sandbox.layout import Layout

_STOP_TIMEOUT: Final = 30.0  # seconds for an orderly stop of everything

# What the command line of each process of ours contains, lest a number that the system has given
# to another process meanwhile is taken for ours.
_MARKS: Final = {
    "postgres": ("postgres", "-D"),
    "seaweedfs": ("weed", "mini"),
    "federation": ("registry.sandbox.federation",),
    "portal": ("registry.sandbox.portal",),
    "gunicorn": ("gunicorn", "python:registry.gunicorn"),
    "worker": ("registry worker",),
    "sandbox": ("sandbox", "up"),
}


class Occupied(Exception):
    """The directory is in use by another sandbox, or by something that is no sandbox."""


@contextmanager
def hold_directory(layout: Layout, say: Callable[[str], None]) -> Iterator[None]:
    """Own the directory during the block, after ending what a killed sandbox left there.

    Raises `Occupied`.
    """
    claim(layout)
    with layout.lock.open("r+") as lock:
        if not _grab(lock.fileno()):
            address = (
                layout.read_any_document().get("baseUrls", {}).get("enterprise", {}).get("v3", "")
            )
            raise Occupied(
                f"A sandbox is running in {layout.directory} already {address}\n"
                "Stop it with `registry sandbox down`, or choose another directory with --dir."
            )
        if layout.read_any_document():
            say("Cleaning up after a sandbox that was killed.")
            end_recorded(layout)
        yield


def claim(layout: Layout) -> None:
    """Make the directory a sandbox's; raises `Occupied` when it holds something else.

    A start erases data, so a mistyped --dir must not name a folder that somebody needs.
    """
    directory = layout.directory
    if directory.exists() and not layout.lock.exists() and any(directory.iterdir()):
        raise Occupied(f"{directory} is not empty and not a sandbox; choose another with --dir.")
    directory.mkdir(parents=True, exist_ok=True)
    layout.lock.touch(mode=0o600)


def is_held(layout: Layout) -> bool:
    """Tell if a supervisor is alive: the system gives its lock back however it ended."""
    try:
        with layout.lock.open("r+") as lock:
            return not _grab(lock.fileno())
    except FileNotFoundError:
        return False


def take_down(layout: Layout, *, timeout: float = _STOP_TIMEOUT) -> bool:
    """Stop the sandbox of this directory and wait for it; False when none was running.

    What has not ended after `timeout` seconds is killed.
    """
    document = layout.read_any_document()
    if not is_held(layout) and not document:
        return False
    supervisor = document.get("processes", {}).get("sandbox")
    if supervisor is not None and is_ours("sandbox", supervisor, layout):
        os.kill(supervisor, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while is_held(layout) and time.monotonic() < deadline:
        time.sleep(0.1)
    end_recorded(layout)  # nothing, after an orderly stop
    return True


def end_recorded(layout: Layout) -> None:
    """Kill the process groups that the document names, as far as they are ours still."""
    processes = dict(layout.read_any_document().get("processes", {}))
    # First whoever would miss the others; their warden then cleans up as well.
    for name in sorted(processes, key=lambda name: name != "sandbox"):
        if is_ours(name, processes[name], layout):
            # The supervisor may be in the group of whoever started it; the others lead their own.
            kill = os.kill if name == "sandbox" else os.killpg
            with suppress(ProcessLookupError, PermissionError):
                kill(processes[name], signal.SIGKILL)
    layout.erase()


def is_ours(name: str, pid: int, layout: Layout) -> bool:
    """Tell if this process is the one that was recorded under this name."""
    command = _command(pid)
    return (
        bool(command) and all(mark in command for mark in _MARKS[name]) and _is_older(pid, layout)
    )


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def _is_older(pid: int, layout: Layout) -> bool:
    """Tell if the process had started when it was recorded; a later one only has its number."""
    documents = (layout.document, layout.draft)
    try:
        recorded_at = max(path.stat().st_mtime for path in documents if path.exists())
        started_at = psutil.Process(pid).create_time()
    except (OSError, ValueError, psutil.Error):
        return False
    return started_at <= recorded_at + 1  # second, which clocks of files and processes may differ


def _grab(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
