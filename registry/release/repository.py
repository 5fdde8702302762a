"""The repository while a release is made: what must be so before, and what is written down."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from registry.release.changelog import NothingToRelease, cut_section
from registry.release.version import VersionRefused, check_next, write_version

_CHANGELOG: Final = Path("CHANGELOG.md")
_VERSION: Final = Path("registry", "__init__.py")
_REVISIONS: Final = Path("registry", "migrations", "versions")
_CHECKSUMS: Final = Path("tests", "store", "released_revisions.sha256")


class NotReleasable(ValueError):
    """The checkout cannot be released, for the reason given."""


class Repository:
    """A checkout with its history."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout

    def read_time(self) -> int:
        """Read when the last commit was made, in seconds since 1970."""
        return int(self._git("log", "-1", "--format=%ct"))

    def require_releasable(self, version: str) -> None:
        """Raise `NotReleasable` unless this version may be made of this checkout."""
        if self._git("status", "--porcelain"):
            raise NotReleasable("The checkout has changes that are not committed.")
        try:
            check_next(version, sorted(self._list_tags()))
            changelog = (self._checkout / _CHANGELOG).read_text()
            cut_section(changelog, version, datetime.now(UTC).date())
        except (VersionRefused, NothingToRelease) as error:
            raise NotReleasable(str(error)) from None

    def prepare(self, version: str, epoch: int) -> None:
        """Write the version, the changelog's section, and the revisions that never change again."""
        changelog = self._checkout / _CHANGELOG
        day = datetime.fromtimestamp(epoch, UTC).date()
        changelog.write_text(cut_section(changelog.read_text(), version, day))
        write_version(self._checkout, version)
        self._close_revisions()

    def commit_and_tag(self, version: str, epoch: int) -> None:
        """Commit what was prepared at this time, which the files bear, and tag it."""
        dates = {"GIT_AUTHOR_DATE": f"{epoch} +0000", "GIT_COMMITTER_DATE": f"{epoch} +0000"}
        self._git("add", *map(str, (_CHANGELOG, _VERSION, _CHECKSUMS)))
        self._git("commit", "--quiet", "--message", f"Release {version}", **dates)
        self._git("tag", "--annotate", "--message", f"Version {version}", f"v{version}", **dates)

    @contextmanager
    def undo_on_failure(self) -> Iterator[None]:
        """Have all be as it was when the block fails, or is interrupted; it was clean before."""
        before, tags = self._git("rev-parse", "HEAD").strip(), self._list_tags()
        try:
            yield
        except BaseException:
            self._git("reset", "--quiet", "--hard", before)
            for tag in self._list_tags() - tags:
                self._git("tag", "--delete", tag)
            raise

    def _list_tags(self) -> set[str]:
        return set(self._git("tag", "--list", "v*").split())

    def _close_revisions(self) -> None:
        checksums = self._checkout / _CHECKSUMS
        text = checksums.read_text()
        for path in sorted((self._checkout / _REVISIONS).glob("[0-9]*.py")):
            if path.name not in text:
                text += f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        checksums.write_text(text)

    def _git(self, *arguments: str, **variables: str) -> str:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607 - whichever git the maintainer uses
            cwd=self._checkout,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        ).stdout
