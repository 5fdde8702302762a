"""`registry refdata …`: reference data as one file, which senders and readers are shown."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_ROOM: Final = "registry.cli.refdata"
_COMMANDS: Final = {
    "check": LazyCommand(
        f"{_ROOM}.files:check", "Say everything that is wrong with FILE and the logos beside it."
    ),
    "diff": LazyCommand(
        f"{_ROOM}.database:diff", "Show what an import of FILE would change, and change nothing."
    ),
    "edit-example": LazyCommand(
        f"{_ROOM}.files:edit_example", "Write a file to start from, with comments, to FILE."
    ),
    "export": LazyCommand(
        f"{_ROOM}.database:export",
        "Write the reference data that the registry has to FILE, and logos beside it.",
    ),
    "import": LazyCommand(
        f"{_ROOM}.database:import_",
        "Make the registry have the reference data of FILE, and no others.",
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def refdata() -> None:
    """Keep organizations, applications, message types and templates in one file.

    They say who may send what, in three languages, and are the same for every e-Box.
    """
