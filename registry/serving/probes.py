"""Probes of health, which the loop answers itself, since all threads may be busy."""

from collections.abc import Collection


class ProbePaths:
    """The requests that ask for health, below these base paths.

    What they ask for is answered from memory and short: the loop waits for nobody meanwhile.
    """

    def __init__(self, base_paths: Collection[str]) -> None:
        self._beginnings = tuple(
            f"{method} {base}/{version}/health{rest} HTTP/1.".encode()
            for method in ("GET", "HEAD")
            for base in base_paths
            for version in ("v2", "v3")
            for rest in ("", "/live", "/ready")
        )

    def match(self, head: bytes | bytearray) -> bool:
        """Tell if a request asks for health."""
        return head.startswith(self._beginnings)
