"""A release in a repository: what is written down, and that nothing is left of one that failed."""

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from registry.release.repository import NotReleasable, Repository

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

NOON = 1_795_000_000  # seconds since 1970
CHANGELOG = "# Changelog\n\n## Unreleased\n\n- Something.\n"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with the files that a release changes."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "somebody@registry.example")
    files = {
        "CHANGELOG.md": CHANGELOG,
        "registry/__init__.py": '__version__ = "0.1.0"\n',
        "registry/migrations/versions/0001_first.py": "first = 1\n",
        "registry/migrations/versions/0002_second.py": "second = 2\n",
        "tests/store/released_revisions.sha256": "0000  0001_first.py\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def git(checkout, *arguments):
    return subprocess.run(
        ["git", *arguments], cwd=checkout, check=True, capture_output=True, text=True
    ).stdout


def test_a_release_is_one_commit_with_a_tag(checkout):
    repository = Repository(checkout)

    repository.require_releasable("1.0.0")
    repository.prepare("1.0.0", NOON)
    repository.commit_and_tag("1.0.0", NOON)

    day = datetime.fromtimestamp(NOON, UTC).date()
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "log", "-1", "--format=%s") == "Release 1.0.0\n"
    assert git(checkout, "describe", "--exact-match") == "v1.0.0\n"
    assert repository.read_time() == NOON
    assert f"## 1.0.0 - {day}" in (checkout / "CHANGELOG.md").read_text()
    assert (checkout / "registry/__init__.py").read_text() == '__version__ = "1.0.0"\n'


def test_revisions_of_the_database_are_closed_with_it_and_those_that_are_stay_as_they_are(checkout):
    Repository(checkout).prepare("1.0.0", NOON)

    digest = hashlib.sha256(b"second = 2\n").hexdigest()
    closed = (checkout / "tests/store/released_revisions.sha256").read_text()
    assert closed == f"0000  0001_first.py\n{digest}  0002_second.py\n"


def test_changes_that_are_not_committed_are_not_released(checkout):
    (checkout / "stray").write_text("")

    with pytest.raises(NotReleasable, match="not committed"):
        Repository(checkout).require_releasable("1.0.0")


def test_a_version_is_released_once(checkout):
    git(checkout, "tag", "--annotate", "--message", "x", "v1.0.0")

    with pytest.raises(NotReleasable, match=r"not later than v1\.0\.0"):
        Repository(checkout).require_releasable("1.0.0")


def test_nothing_is_left_of_a_release_that_fails(checkout):
    repository, before = Repository(checkout), git(checkout, "rev-parse", "HEAD")

    def interrupt():
        with repository.undo_on_failure():
            repository.prepare("1.0.0", NOON)
            repository.commit_and_tag("1.0.0", NOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()

    assert git(checkout, "rev-parse", "HEAD") == before
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "tag", "--list") == ""
