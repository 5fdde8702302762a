"""Limits of serving: the time of clients, and how many threads may wait for them."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from registry.serving.pace import Pace
from registry.serving.probes import ProbePaths
from registry.settings import Settings

# An answer of up to about half of this waits for its reader in the kernel, and holds no thread.
_SEND_BUFFER: Final = 208 << 10  # bytes; Linux allows no more unless told, and doubles it
_GATHERED: Final = 64 << 20  # bytes of requests that are still coming, all together
_QUEUE: Final = 256  # long bodies that wait for their turn
_OTHER_FILES: Final = 200  # of a process: neighbours, libraries, its log


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """How one process serves: counts of threads, and seconds in the queue for long bodies.

    `gathered` is how many bytes of requests may be in memory before a thread takes them.
    """

    probes: ProbePaths
    pace: Pace
    long_bodies: int
    slow_readers: int
    queue: float
    longest_queue: int = _QUEUE
    gathered: int = _GATHERED
    send_buffer: int = _SEND_BUFFER

    @classmethod
    def load(cls, environ: Mapping[str, str], threads: int) -> Self:
        """Read the settings for a process with so many threads; raises `SettingsError`.

        Together, fewer threads wait for clients than there are, but for less than three of them.
        """
        settings = Settings.load(environ)
        # One more than may wait for a neighbour: who finds those waiting is told at once, and would
        # else stand in the queue behind them.
        usual = threads // 2 + 1
        long_bodies = max(1, min(settings.client_long_bodies or usual, threads - 2))
        return cls(
            probes=ProbePaths(settings.base_paths.values()),
            pace=Pace(settings.client_grace, settings.client_least_rate),
            long_bodies=long_bodies,
            slow_readers=max(1, threads - long_bodies - 1),
            queue=settings.client_queue,
        )


def reserve_files(connections: int) -> int:
    """Let this process have as many files as it may; gives how many connections it can take.

    Systems give a process a thousand until it asks for more, and one that has none left cannot
    even refuse.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(connections, soft - _OTHER_FILES))
