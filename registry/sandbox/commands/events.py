"""`registry sandbox events`: what the federation was told of messages."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from registry.sandbox.commands import options
from registry.terminal.screen import make_console

if TYPE_CHECKING:
    from requests import Response

    from registry.sandbox.layout import Document

_TIMEOUT: Final = 30  # seconds, for 100 000 events


@click.command()
@options.directory
@click.option("--json", "raw", is_flag=True, help="All that was sent, as one JSON array.")
def events(directory: Path, *, raw: bool) -> None:
    """Show the events that the Event Service's stand-in took, oldest first.

    Example: registry sandbox events --json | jq '.[].eventData.subject'
    """
    _, document = options.running(directory)
    answer = _fetch_events(document)
    if raw:
        click.echo(answer.content)
    else:
        _show(answer.json())


def _fetch_events(document: "Document") -> "Response":
    import requests

    from registry.sandbox.federation.addresses import EVENTS_TAKEN
    from registry.sandbox.layout import stand_ins

    with requests.Session() as session:
        session.trust_env = False  # it is on loopback, whatever proxy is set
        try:
            answer = session.get(stand_ins(document) + EVENTS_TAKEN, timeout=_TIMEOUT)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise click.ClickException(f"The stand-in did not answer: {error}") from None
    return answer


def _show(events_taken: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title="What the Event Service took")
    for heading in ("time", "event type", "enterprise", "message", "registered"):
        table.add_column(heading, overflow="fold")
    for item in events_taken:
        event = item["eventData"]
        table.add_row(
            item["eventTime"],
            event["eventType"],
            event["enterpriseId"],
            event["messageId"],
            "yes" if event["registeredMail"] else "no",
        )
    make_console().print(table)
