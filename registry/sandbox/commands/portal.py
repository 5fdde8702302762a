"""The command that opens the local portal."""

from pathlib import Path

import click

from registry.sandbox.commands import options


@click.command()
@options.directory
def portal(directory: Path) -> None:
    """Open the local portal in a browser: an e-Box as its user sees it.

    Prints its address, too. It plays any persona, and shows each call that it makes to the
    registry; with a token of your own it reads any registry that lets its origin in.

    Example: registry sandbox portal
    """
    import webbrowser

    _, document = options.running(directory)
    url = document["portalUrl"]
    click.echo(url)
    if not webbrowser.open(url):
        click.echo("No browser could be started here; open that address in one.", err=True)
