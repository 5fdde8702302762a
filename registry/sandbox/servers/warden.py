"""The warden: ends what a sandbox started when the sandbox itself is killed.

It reads one JSON order a line from its standard input, whose other end only the starting process
holds. End of input means that this process is gone, by whatever cause, SIGKILL included: the
warden then ends the process groups and removes the files still on its list. PR_SET_PDEATHSIG would
not do: it follows the thread that forked, is lost when the user changes, does not reach
grandchildren (gunicorn's workers) and exists on Linux alone.

Run as a script, isolated (`python -I -S`): it must start in milliseconds, so no import of ours.
"""

import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE = 3.0  # seconds between the polite signal and SIGKILL


def main() -> None:
    """Keep the list until the input ends, then clear it."""
    groups: dict[int, int] = {}
    paths: set[str] = set()
    for line in sys.stdin:
        order, what, how = json.loads(line)
        if order == "watch":
            groups[what] = how
        elif order == "forget":
            groups.pop(what, None)
        elif order == "sweep":
            paths.add(what)
        else:
            paths.discard(what)
    _end(groups)
    for path in paths:
        _remove(Path(path))


def _end(groups: dict[int, int]) -> None:
    for group, polite in groups.items():
        _signal(group, polite)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(_signal(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


if __name__ == "__main__":
    main()
