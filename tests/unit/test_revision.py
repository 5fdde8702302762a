"""The revision that the code needs is that of the newest migration."""

from pathlib import Path

from registry import migrations
from registry.store.schema import REVISION

VERSIONS = Path(migrations.__file__).parent / "versions"


def test_the_code_needs_the_newest_migration():
    newest = max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))

    assert newest == REVISION, "a new migration is named in registry/store/schema.py too"
