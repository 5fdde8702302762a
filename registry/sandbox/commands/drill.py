"""`registry drill …`: disasters on a sandbox, and what of it comes back."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_COMMANDS: Final = {
    "restore": LazyCommand(
        "registry.sandbox.commands.drill_restore:restore",
        "Lose the database of a sandbox under load, restore it, and tell what is lost.",
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def drill() -> None:
    """Rehearse a disaster on a local federation that is started for it, and stopped again."""
