"""Options and checks that the commands of the sandbox share."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.sandbox.layout import Document, Layout

directory = click.option(
    "--dir",
    "directory",
    default=".sandbox",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the sandbox lives.",
)


def running(directory: Path) -> tuple["Layout", "Document"]:
    """The sandbox that is up in this directory; without one, the command ends and says so."""
    from registry.sandbox.layout import Layout, NotRunning

    layout = Layout.at(directory)
    try:
        return layout, layout.read_document()
    except NotRunning as error:
        raise click.ClickException(str(error)) from None
