"""`registry events`: the events on their way to the federation."""

from typing import Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_ROOM: Final = "registry.cli.events"
_COMMANDS: Final = {
    "list": LazyCommand(
        f"{_ROOM}.commands:list_",
        "List the events that are due, or dead.",
    ),
    "preview": LazyCommand(
        f"{_ROOM}.commands:preview",
        "Show the reminders and alerts of the next days, unless messages are read first.",
    ),
    "replay": LazyCommand(
        f"{_ROOM}.replay_and_skip:replay",
        "Have the events of these IDs told again, whatever became of them.",
    ),
    "show": LazyCommand(
        f"{_ROOM}.commands:show",
        "Show the event of this ID, or all events of the message of this ID.",
    ),
    "skip": LazyCommand(
        f"{_ROOM}.replay_and_skip:skip",
        "Leave the events of these IDs untold: those that wait, or are dead.",
    ),
}


@click.group(cls=QuietLazyGroup, lazy=_COMMANDS)
def events() -> None:
    """See what the federation was told of messages, and what it was not.

    An event is told again by itself while the Event Service is away; what the service refuses is
    dead until you decide. Numbers of citizens are never shown.
    """
