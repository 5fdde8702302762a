"""A virtualenv for each peer, made by the bench from the package index, never by our lock."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.scale.progress import say

_FOLDER: Final = Path(__file__).parents[4] / ".cache" / "bench-peers"
_READY: Final = ".ready"


@dataclass(frozen=True, slots=True)
class PeerEnvironment:
    """Packages in `.cache/bench-peers/NAME`, installed once."""

    name: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Of the virtualenv."""
        return _FOLDER / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def make(self) -> str:
        """Make it unless it is there; gives the version of the peer."""
        ready = self.folder / _READY
        if not ready.exists() or ready.read_text() != "\n".join(self.packages):
            say(f"installing {self.name} into {self.folder}")
            self._run(sys.executable, "-m", "venv", "--clear", str(self.folder))
            pip = (str(self.python), "-m", "pip", "--quiet", "--disable-pip-version-check")
            self._run(*pip, "install", *self.packages)
            ready.write_text("\n".join(self.packages))
        code = f"from importlib.metadata import version; print(version({self.name!r}))"
        return self._run(str(self.python), "-c", code).strip()

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{self.name} cannot be had: {done.stderr.strip()[-2000:]}")
        return done.stdout
