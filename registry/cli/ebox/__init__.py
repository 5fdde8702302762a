"""`registry ebox`: a whole e-Box, exported, checked, imported or erased."""

from typing import Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_ROOM: Final = "registry.cli.ebox"
_COMMANDS: Final = {
    "check": LazyCommand(
        f"{_ROOM}.files:check", "Check every byte of the file of an e-Box, without a registry."
    ),
    "erase": LazyCommand(
        f"{_ROOM}.erasure:erase",
        "Delete all that an e-Box has, but for what is under a hold, with proofs.",
    ),
    "export": LazyCommand(
        f"{_ROOM}.files:export",
        "Write all that an e-Box has to one file, read or hidden, with its documents.",
    ),
    "import": LazyCommand(
        f"{_ROOM}.files:import_",
        "Put the letters of a file into the e-Box that it is of, as they were.",
    ),
}


@click.group(cls=QuietLazyGroup, lazy=_COMMANDS)
def ebox() -> None:
    """Hand an e-Box over to its owner, put it into another registry, or erase it."""
