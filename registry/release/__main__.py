"""`python -m registry.release dist` and `python -m registry.release tag VERSION`."""

import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
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

    Nothing is pushed. Where it fails, the checkout is as it was, and so is the folder.
    """
    repository, now = Repository(_CHECKOUT), int(time.time())
    with TemporaryDirectory() as temporary:
        fresh = Path(temporary, "dist")
        try:
            repository.require_releasable(version)
            with repository.undo_on_failure():
                repository.prepare(version, now)
                make_artifacts(_CHECKOUT, fresh, now)
                repository.commit_and_tag(version, now)
        except NotReleasable as error:
            raise click.ClickException(str(error)) from None
        except subprocess.CalledProcessError as error:
            command = f"{Path(error.cmd[0]).name} {error.cmd[1]} ended with {error.returncode}"
            raise click.ClickException(f"{command}. The checkout is as it was.") from None
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}"
            raise click.ClickException(f"{reason}. The checkout is as it was.") from None
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fresh, folder)
    for path in sorted(folder.resolve().iterdir()):
        click.echo(path)
    click.echo(f"Released here as v{version}. To make it known: git push --follow-tags", err=True)


if __name__ == "__main__":
    release()
