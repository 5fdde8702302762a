"""Limits of serving: the time of clients, and how many threads may wait for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from registry.serving.pace import Pace
from registry.serving.probes import ProbePaths
from registry.settings import Settings

# An answer of up to about half of this waits for its reader in the kernel, and holds no thread.
_SEND_BUFFER: Final = 208 << 10  # bytes; Linux allows no more unless told, and doubles it


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """How one process serves: counts of threads, and seconds in the queue for long bodies."""

    probes: ProbePaths
    pace: Pace
    long_bodies: int
    slow_readers: int
    queue: float
    send_buffer: int = _SEND_BUFFER

    @classmethod
    def load(cls, environ: Mapping[str, str], threads: int) -> Self:
        """Read the settings for a process with so many threads; raises `SettingsError`.

        Together, fewer threads wait for clients than there are, but for less than three of them.
        """
        settings = Settings.load(environ)
        long_bodies = max(1, min(settings.client_long_bodies or threads // 2, threads - 2))
        return cls(
            probes=ProbePaths(settings.base_paths.values()),
            pace=Pace(settings.client_grace, settings.client_least_rate),
            long_bodies=long_bodies,
            slow_readers=max(1, threads - long_bodies - 1),
            queue=settings.client_queue,
        )
