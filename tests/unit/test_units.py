"""systemd waits for as long as a process may take to stop, and then a little."""

import re
from pathlib import Path

from registry.settings import Settings
from registry.worker.threads import PATIENCE

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
GUNICORN = 3  # seconds that gunicorn waits longer for its workers than they for requests


def patience(unit):
    text = (UNITS / unit).read_text(encoding="utf-8")
    return int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1])


def test_systemd_waits_for_gunicorn():
    longest = Settings.model_fields["stop_timeout"].default + GUNICORN

    assert longest + 5 <= patience("ebox-registry.service") <= longest + 15


def test_systemd_waits_for_the_worker():
    assert patience("ebox-registry-worker.service") >= PATIENCE + 5
