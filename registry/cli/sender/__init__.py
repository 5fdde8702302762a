"""`registry sender`: who may publish nothing for now."""

from typing import Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_ROOM: Final = "registry.cli.sender"
_COMMANDS: Final = {
    "list": LazyCommand(
        f"{_ROOM}.commands:list_", "List the senders that are suspended, the oldest first."
    ),
    "resume": LazyCommand(f"{_ROOM}.commands:resume", "Let a suspended sender publish again."),
    "suspend": LazyCommand(
        f"{_ROOM}.commands:suspend", "Refuse all that a sender publishes, until it is resumed."
    ),
}


@click.group(cls=QuietLazyGroup, lazy=_COMMANDS)
def sender() -> None:
    """Stop a sender or a sender application that goes wrong, and let it go on.

    It takes effect on all processes at once. What was published stays; `registry message withdraw`
    takes a message away.
    """
