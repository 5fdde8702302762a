"""The source that a release is built from: a copy of what git knows of, and nothing else."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_EXPORT: Final = ("export", "--quiet", "--frozen", "--extra", "server", "--no-dev")


@dataclass(frozen=True)
class Source:
    """A copy in a folder, and the `uv` that exports and builds there."""

    folder: Path
    uv: Path

    @property
    def made(self) -> Path:
        """The folder of what is made for a release, where hatch_build.py looks for it."""
        return self.folder / ".cache" / "release"

    def copy(self, checkout: Path) -> None:
        """Copy what git knows of, as it is in the checkout now."""
        listing = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - whichever git the maintainer uses
            cwd=checkout,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        for name in filter(None, listing.split("\0")):
            original, copy = checkout / name, self.folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            # A link to a folder: wheels have no links, and hatch goes into each folder only once.
            if original.is_dir():
                shutil.copytree(original, copy)
            elif original.exists():
                shutil.copy2(original, copy)
        self.made.mkdir(parents=True)

    def export(self, form: str, *options: str) -> str:
        """Export what the server needs from the lock file, in one of uv's forms."""
        return subprocess.run(
            [self.uv, *_EXPORT, "--format", form, *options],
            cwd=self.folder,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def build(self, folder: Path, epoch: int) -> None:
        """Build the sdist, and of it the wheel, as whoever has only that would."""
        subprocess.run(
            [self.uv, "build", "--quiet", "--python", sys.executable, "--out-dir", folder],
            cwd=self.folder,
            check=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        )
        (folder / ".gitignore").unlink(missing_ok=True)  # which uv leaves there
