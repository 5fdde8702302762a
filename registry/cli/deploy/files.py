"""`registry deploy files`: what a deployment begins with, written out."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

import registry
from registry.terminal.whole_files import open_whole

_PACKAGE: Final = Path(registry.__file__).parent
_FEW: Final = 3  # files that are named in an error; more help nobody


@click.command("files")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Made where it is not there.",
)
@click.option("--force", is_flag=True, help="Write over files that are there and differ.")
def write_files(*, folder: Path, force: bool) -> None:
    """Write out the files that a deployment begins with, as this version has them.

    nginx, systemd, the roles of the database, examples of settings, runbooks, and constraints.txt
    with every version that was tested. Prints the path of each file that was written; what is there
    already and the same is left alone. Exit code 1, and nothing is written, when a file is there
    and differs, as one that you have changed: look at both, then --force, or another folder.

    Example: registry deploy files --to /etc/ebox-registry/deploy
    """
    source = find_source()
    new = [path for path in list_files(source) if not _is_same(source / path, folder / path)]
    if not force:
        _refuse_changed([folder / path for path in new if (folder / path).exists()])
    try:
        for path in new:
            _write(source / path, folder / path)
            click.echo(folder / path)
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror}.") from None


def find_source() -> Path:
    """Find the files: in the wheel they lie in the package, in a checkout beside it."""
    inside = _PACKAGE / "deploy"
    return inside if inside.is_dir() else _PACKAGE.parent / "deploy"


def list_files(folder: Path) -> Sequence[Path]:
    """List the files below a folder, relative to it, as a wheel has them: through links too.

    What Python compiles of them where they lie is none of them.
    """
    paths = [
        Path(parent, name).relative_to(folder)
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if Path(parent).name != "__pycache__"
    ]
    return sorted(paths)


def _is_same(source: Path, target: Path) -> bool:
    return target.is_file() and target.read_bytes() == source.read_bytes()


def _refuse_changed(paths: Sequence[Path]) -> None:
    if paths:
        names = ", ".join(map(str, paths[:_FEW]))
        rest = f" and {len(paths) - _FEW} more" if len(paths) > _FEW else ""
        raise click.ClickException(
            f"There already, and not as in this version: {names}{rest}. Nothing was written;"
            " --force writes over them."
        )


def _write(source: Path, target: Path) -> None:
    """Write one file, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_whole(target, mode=source.stat().st_mode & 0o777) as file:
        file.write(source.read_bytes())
