"""Whoever stays with a primary that was cut off: what a trespasser on its host achieves."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.ha.clients import LISTING
from tests.ha.installation import OUTSIDE, Installation
from tests.ha.machines import PASSWORD, ROOT

_DEMOTED: Final = ("read-only", "no connection")
_ALWAYS: Final = "600"  # seconds: whom this registry knew, it knows; the federation is cut off too


@dataclass(frozen=True)
class Trespass:
    """What the trespasser got before the host was cut off, and after; what of it is there now.

    `demotion`: the seconds until PostgreSQL refused. `vanished`: rows that were acknowledged, at
    any time, and are not on the new primary.
    """

    before: Mapping[str, int]
    after: Mapping[str, int]
    demotion: float | None
    vanished: int

    @property
    def is_fended_off(self) -> bool:
        """True when all went well before, and nothing was taken or served after."""
        was_served = self.before["write acknowledged"] and self.before["read 200"]
        is_served = self.after["write acknowledged"] or self.after["read 200"]
        return bool(was_served) and not is_served and not self.vanished


class Fence:
    """A registry and a trespasser on the primary's own host, who use its PostgreSQL alone."""

    def __init__(self, installation: Installation, host: str) -> None:
        self._installation, self._machine = installation, installation.data[host]

    def open(self, seconds: float) -> None:
        """Start both; the trespasser goes on for so long."""
        installation, machine = self._installation, self._machine
        settings = installation.database_settings("127.0.0.1:5432")
        caches = {"REGISTRY_TOKEN_CACHE_READS": _ALWAYS, "REGISTRY_TOKEN_CACHE_DOUBTS": _ALWAYS}
        machine.start_registry({**installation.env, **settings, **caches}, workers=1)
        health = "http://127.0.0.1:8081/REST/ebox/enterprise/messageRegistry/v3/health/live"
        probe = f"from urllib.request import urlopen; urlopen({health!r}, timeout=2)"
        command = machine.host.command(sys.executable, "-c", probe)
        installation.wait_until(
            lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0,
            "the registry on the primary's host",
        )
        env = {
            "DATABASE": f"postgresql://registry_service:{PASSWORD}@127.0.0.1/{OUTSIDE}",
            "LISTING": f"http://127.0.0.1:8081{LISTING}",
            "TOKEN": installation.token("other-enterprise"),
        }
        command = machine.host.command(sys.executable, "-m", "tests.ha.trespasser", str(seconds))
        self._process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def close(self, strike: float, cut: float) -> Trespass:
        """End both, and hold what the trespasser was told against what the new primary has.

        The host was cut off between these two instants.
        """
        output, _ = self._process.communicate(timeout=120)
        self._machine.kill("gunicorn")
        attempts = [json.loads(line) for line in output.splitlines()]
        refusals = [
            each["began"] - strike
            for each in attempts
            if each["began"] >= cut and each["outcome"] in _DEMOTED
        ]
        numbers = [each["number"] for each in attempts if each["outcome"] == "acknowledged"]
        return Trespass(
            _count(each for each in attempts if each["began"] < strike),
            _count(each for each in attempts if each["began"] >= cut),
            min(refusals, default=None),
            self._count_gone(numbers),
        )

    def _count_gone(self, numbers: Sequence[int]) -> int:
        rows = self._installation.execute(
            "SELECT number FROM attempts WHERE number = ANY(%s)", list(numbers), database=OUTSIDE
        )
        return len(numbers) - len(rows)


def _count(attempts: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(f"{each['kind']} {each['outcome']}" for each in attempts)
