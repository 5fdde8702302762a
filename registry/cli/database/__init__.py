"""`registry database`: its shape, and whether its roles are safe."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_ROOM: Final = "registry.cli.database"
_COMMANDS: Final = {
    "check": LazyCommand(
        f"{_ROOM}.commands:check",
        "Say whether the database has the newest shape and can be served from.",
    ),
    "downgrade": LazyCommand(
        f"{_ROOM}.commands:downgrade",
        "Take the database back to an older shape, as the owner of the tables.",
    ),
    "migrate": LazyCommand(
        f"{_ROOM}.commands:migrate",
        "Bring the database to the newest shape, as the owner of the tables.",
    ),
    "pack-entries": LazyCommand(
        f"{_ROOM}.commands:pack_entries",
        "Have new entries of the audit trail packed, once no older program runs.",
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def database() -> None:
    """Create and upgrade the database."""
