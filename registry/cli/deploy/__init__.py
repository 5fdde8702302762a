"""`registry deploy`: what operators need beside the program."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_COMMANDS: Final = {
    "files": LazyCommand(
        "registry.cli.deploy.files:write_files",
        "Write out the files that a deployment begins with, as this version has them.",
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def deploy() -> None:
    """Have what an operator needs beside the program."""
