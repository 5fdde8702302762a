"""`registry message`: one message, for operators who may not read it."""

from typing import Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_ROOM: Final = "registry.cli.message"
_COMMANDS: Final = {
    "show": LazyCommand(
        f"{_ROOM}.show:show",
        "Show what an operator may know of a message without reading it.",
    ),
    "withdraw": LazyCommand(
        f"{_ROOM}.withdraw:withdraw",
        "Take a message out of the e-Boxes that have it, and keep it for auditors.",
    ),
}


@click.group(cls=QuietLazyGroup, lazy=_COMMANDS)
def message() -> None:
    """Look at one message without reading it, or take it away from its readers.

    No subject, file name or number of a citizen is ever shown.
    """
