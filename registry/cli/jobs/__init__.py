"""`registry jobs`: what an operator's scheduler may do."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_ROOM: Final = "registry.cli.jobs"
_COMMANDS: Final = {
    "purge": LazyCommand(
        f"{_ROOM}.commands:purge",
        "Delete the messages that have expired, with a proof of each, and then their documents.",
    ),
    "remind": LazyCommand(
        f"{_ROOM}.commands:remind",
        "Remind of messages that nobody has read, and alert before they expire.",
    ),
    "route": LazyCommand(
        f"{_ROOM}.commands:route",
        "Ask for the routing rules of ENTERPRISES again, and route what waits for them.",
    ),
    "sweep": LazyCommand(
        f"{_ROOM}.commands:sweep",
        "Delete the documents of uploads that no message has claimed, and unfinished ones.",
    ),
    "verify": LazyCommand(
        f"{_ROOM}.commands:verify",
        "Read every stored document, and compare it with the digest that it was filed with.",
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def jobs() -> None:
    """Do what has to be done now and then; every job may run beside the service."""
