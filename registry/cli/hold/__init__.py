"""`registry hold`: legal holds."""

from typing import Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_ROOM: Final = "registry.cli.hold"
_COMMANDS: Final = {
    "lift": LazyCommand(
        f"{_ROOM}.commands:lift",
        "End a hold; what expired meanwhile is deleted at the next purge, unless held otherwise.",
    ),
    "list": LazyCommand(
        f"{_ROOM}.commands:list_",
        "List the holds in force, the oldest first.",
    ),
    "refresh": LazyCommand(
        f"{_ROOM}.commands:refresh",
        "Tell storage again what a hold asks for: to hold its documents, or to let them go.",
    ),
    "set": LazyCommand(
        f"{_ROOM}.commands:set_",
        "Hold a message, or a whole e-Box with what comes later.",
    ),
}


@click.group(cls=QuietLazyGroup, lazy=_COMMANDS)
def hold() -> None:
    """Keep messages from being deleted while the law asks for it.

    A held message expires as ever, and nobody reads it any longer, but it is not deleted. Where
    documents are under S3 Object Lock they are held there too. Numbers of citizens are never shown.
    """
