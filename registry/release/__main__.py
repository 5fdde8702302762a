"""`python -m registry.release dist` and `python -m registry.release tag VERSION`."""

import subprocess
import time
from pathlib import Path
from typing import Final

import click

from registry.release.artifacts import make_artifacts
from registry.release.repository import NotReleasable, Repository

_CHECKOUT: Final = Path(__file__).parents[2]
_FOLDER: Final = click.Path(file_okay=False, path_type=Path)


@click.group()
def release() -> None:
    """Make the files of a release, or a release."""


@release.command()
@click.option("--to", "folder", type=_FOLDER, default=Path("dist"), help="Emptied before.")
def dist(folder: Path) -> None:
    """Make the files of the checkout as it is, as of its last commit: `make dist`."""
    for path in make_artifacts(_CHECKOUT, folder.resolve(), Repository(_CHECKOUT).read_time()):
        click.echo(path)


@release.command()
@click.argument("version")
@click.option("--to", "folder", type=_FOLDER, default=Path("dist"), help="Emptied before.")
def tag(version: str, folder: Path) -> None:
    """Release VERSION: changelog, migrations that are closed, commit, files, tag.

    Nothing is pushed. Where it fails, the checkout is as it was.
    """
    repository, now = Repository(_CHECKOUT), int(time.time())
    try:
        repository.require_releasable(version)
        with repository.undo_on_failure():
            repository.prepare(version, now)
            paths = make_artifacts(_CHECKOUT, folder.resolve(), now)
            repository.commit_and_tag(version, now)
    except NotReleasable as error:
        raise click.ClickException(str(error)) from None
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"{error}. The checkout is as it was.") from None
    for path in paths:
        click.echo(path)
    click.echo(f"Released here as v{version}. To make it known: git push --follow-tags", err=True)


if __name__ == "__main__":
    release()
