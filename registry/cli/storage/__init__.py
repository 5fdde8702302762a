"""`registry storage …`: the buckets for documents and for seals of the audit trail."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_ROOM: Final = "registry.cli.storage"
_COMMANDS: Final = {
    "check": LazyCommand(
        f"{_ROOM}.buckets:check",
        "Say whether the buckets are as they must be, and which rights the key lacks.",
    ),
    "create": LazyCommand(
        f"{_ROOM}.buckets:create", "Make the buckets, and give them what they must have."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def storage() -> None:
    """Make and check the buckets for documents and for seals."""
