"""The type check sees a misspelt column: rows of the store are records, and none of them is Any."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]

# A module for each wing and the trail, and an attribute that it reads of a row.
MISSPELLINGS = {
    "registry/services/consultation/consultation.py": (".payment_data", ".payment_date"),
    "registry/services/publication/routing.py": (".sender_application_id", ".sender_aplication_id"),
    "registry/services/events/delivery.py": (".is_visible", ".is_visibel"),
    "registry/services/retention/purge.py": (".blob_keys", ".blob_kyes"),
    "registry/audit/entry_search.py": (".recorded_at", ".recorded_on"),
}


def misspell(path: Path, word: str, misspelling: str) -> None:
    source = path.read_text(encoding="utf-8")
    assert word in source, f"{path} no longer reads {word}: choose another attribute of a row"
    path.write_text(source.replace(word, misspelling), encoding="utf-8")


def test_a_misspelt_attribute_of_a_row_fails_the_type_check(tmp_path):
    shutil.copytree(
        ROOT / "registry", tmp_path / "registry", ignore=shutil.ignore_patterns("__pycache__")
    )
    if (ROOT / ".mypy_cache").is_dir():  # spares all that is not misspelt
        shutil.copytree(ROOT / ".mypy_cache", tmp_path / "cache", dirs_exist_ok=True)
    for module, words in MISSPELLINGS.items():
        misspell(tmp_path / module, *words)

    configuration = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", tmp_path / "cache"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *configuration, *MISSPELLINGS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 1, checked.stdout + checked.stderr
    for module, (_, misspelling) in MISSPELLINGS.items():
        errors = [line for line in checked.stdout.splitlines() if line.startswith(f"{module}:")]
        name = misspelling.removeprefix(".")
        assert any(f'has no attribute "{name}"' in line for line in errors), (module, errors)
