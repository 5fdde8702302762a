"""Reloading: what SIGHUP would start is tried first, and the workers stay when it is unfit."""

import subprocess
import sys
from typing import Any, Final

_LONGEST: Final = 60.0  # seconds for the trial


def guard_reload(arbiter: Any) -> None:
    """Have gunicorn's arbiter reload only what a process of its own could load.

    gunicorn itself reloads at once: workers that cannot start would end it, and everything with it.
    """
    reload = arbiter.handle_hup

    def handle_hup() -> None:
        if _can_load(arbiter.START_CTX["cwd"]):
            # Read again with the rest of the program: gunicorn takes its hooks from there.
            sys.modules.pop("registry.gunicorn", None)
            reload()
        else:
            arbiter.log.error("Not reloaded, for the reason above: the workers go on as they are")

    arbiter.handle_hup = handle_hup


def _can_load(folder: str) -> bool:
    """Load configuration, settings, keys and application, as the new workers would.

    What is wrong is said on standard error, as it is at the start.
    """
    command = [sys.executable, "-m", "gunicorn", "--check-config", *sys.argv[1:]]
    try:
        trial = subprocess.run(command, cwd=folder, check=False, timeout=_LONGEST)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return trial.returncode == 0
