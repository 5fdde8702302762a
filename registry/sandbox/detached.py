"""`up --detach`: a supervisor that outlives the terminal, followed until it is ready."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from registry.sandbox import ownership
from registry.sandbox.layout import Document, Layout, NotRunning
from registry.sandbox.servers.processes import StartFailed

_TIMEOUT: Final = 300.0  # seconds: each step has its own, shorter one


def start(
    layout: Layout, port: int, options: Sequence[str], say: Callable[[str], None]
) -> Document:
    """Start `up` in a session of its own and relay its progress; what sandbox.json says then.

    Raises `Occupied` or `StartFailed`.
    """
    ownership.claim(layout)
    if ownership.is_held(layout):
        raise ownership.Occupied(f"A sandbox is running in {layout.directory} already.")
    if layout.read_any_document():
        ownership.end_recorded(layout)  # or its sandbox.json would be taken for the new one's
    log = layout.directory / "sandbox.log"
    command = [sys.executable, "-m", "registry.sandbox", "up", "--terse"]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [*command, "--dir", str(layout.directory), "--port", str(port), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _follow(supervisor, layout, log, say)
    except BaseException:
        supervisor.terminate()
        supervisor.wait()
        raise


def _follow(
    supervisor: "subprocess.Popen[bytes]", layout: Layout, log: Path, say: Callable[[str], None]
) -> Document:
    """Relay the lines of the log until the sandbox is ready."""
    deadline = time.monotonic() + _TIMEOUT
    lines_shown = 0
    while time.monotonic() < deadline:
        has_ended = supervisor.poll() is not None
        lines = log.read_text(errors="replace").splitlines()
        if has_ended:
            fault = "\n".join(lines[lines_shown:]).removeprefix("Error: ")
            raise StartFailed(fault or "The sandbox ended without a word.")
        for line in lines[lines_shown:]:
            say(line)
        lines_shown = len(lines)
        try:
            document = layout.read_document()
        except NotRunning:
            time.sleep(0.1)
        else:
            supervisor.returncode = 0  # it goes on without us
            return document
    raise StartFailed(f"The sandbox was not ready after {_TIMEOUT:g} seconds; see {log}.")
