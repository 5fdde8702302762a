"""`python -m tests.portal.picture`: pictures of the local portal, for docs/portal.md.

Starts a sandbox, reads in its portal, and stops everything again, also on Ctrl-C.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from playwright.sync_api import Browser, expect

from registry.sandbox.layout import Layout
from registry.sandbox.servers.binaries import PostgresMissing
from registry.sandbox.servers.processes import Interrupted, StartFailed, free_port
from registry.sandbox.supervisor import Supervisor
from tests.portal.browser import TELEPHONE, Visitor, chromium

DOCS: Final = Path(__file__).parents[2] / "docs"
_LETTER: Final = "Avertissement-extrait de rôle, impôt des sociétés"
_SIZE: Final = (1440, 1000)
_DRAWN: Final = 5_000  # milliseconds until the browser's viewer has drawn a document


@click.command()
@click.option(
    "--to",
    "folder",
    default=DOCS,
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def main(folder: Path) -> None:
    """Make portal.png and portal-360.png.

    Example: python -m tests.portal.picture --to /tmp
    """
    with tempfile.TemporaryDirectory(prefix="registry-portal-") as name:
        Path(name).chmod(0o755)  # PostgreSQL's user has to get in
        layout = Layout.at(Path(name) / "sandbox")
        try:
            supervisor = Supervisor(layout, free_port(), say=click.echo)
            with supervisor.up() as document, chromium() as browser:
                take(browser, document["portalUrl"], folder)
        except (StartFailed, PostgresMissing) as error:
            raise click.ClickException(str(error)) from None
        except Interrupted:
            click.echo("Stopped before it was ready.")
            sys.exit(130)


def take(browser: Browser, portal: str, folder: Path) -> None:
    """A message with its document at a desk, and the list on a telephone."""
    desk = Visitor(browser, portal, _SIZE, "fr")
    desk.open("portal-user")
    desk.read(_LETTER)
    desk.press("open")
    expect(desk.page.locator(".paper iframe")).to_be_visible()
    desk.page.wait_for_timeout(_DRAWN)
    desk.page.screenshot(path=folder / "portal.png")
    telephone = Visitor(browser, portal, TELEPHONE, "nl")
    telephone.open("portal-user")
    expect(telephone.page.locator(".counts")).to_be_visible()
    telephone.page.screenshot(path=folder / "portal-360.png")
    for visitor in (desk, telephone):
        visitor.leave()


if __name__ == "__main__":
    main()
