"""Revisions that are released are what databases were made by: none of them changes any more."""

from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from registry import migrations

VERSIONS = Path(migrations.__file__).parent / "versions"
RELEASED = Path(__file__).with_name("released_revisions.sha256")


def read_released():
    """Checksum by file, as `sha256sum` writes them."""
    lines = (line.split() for line in RELEASED.read_text().splitlines())
    return {name: checksum for checksum, name in lines}


def list_revisions():
    return sorted(path.name for path in VERSIONS.glob("[0-9]*.py"))


def test_a_released_revision_never_changes():
    now = {
        name: sha256(path.read_bytes()).hexdigest() if (path := VERSIONS / name).exists() else None
        for name in read_released()
    }

    assert now == read_released(), "a released revision was changed: put it back, and add a new one"


def test_a_released_revision_is_not_taken_off_the_list():
    assert [name[:4] for name in read_released()][:7] == [f"{n:04d}" for n in range(1, 8)]


def test_a_new_revision_comes_after_all_that_are_released():
    newer = [name for name in list_revisions() if name not in read_released()]

    assert list_revisions() == [*read_released(), *newer]
    for before, after in pairwise(list_revisions()):
        assert f'down_revision = "{before[:4]}"' in (VERSIONS / after).read_text(), (
            f"{after} must follow {before}"
        )
