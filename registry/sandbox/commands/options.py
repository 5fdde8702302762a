"""Options and checks that the commands of the sandbox share."""

from pathlib import Path

import click

from registry.sandbox.layout import Document, Layout, NotRunning

directory = click.option(
    "--dir",
    "directory",
    default=".sandbox",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the sandbox lives.",
)


def running(directory: Path) -> tuple[Layout, Document]:
    """The sandbox that is up in this directory; without one, the command ends and says so."""
    layout = Layout.at(directory)
    try:
        return layout, layout.read_document()
    except NotRunning as error:
        raise click.ClickException(str(error)) from None
