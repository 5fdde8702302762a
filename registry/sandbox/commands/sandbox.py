"""`registry sandbox …`: start, look at, use and stop a local federation."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_ROOM: Final = "registry.sandbox.commands"
_COMMANDS: Final = {
    "demo": LazyCommand(
        f"{_ROOM}.lifecycle:demo",
        "Start a fresh sandbox, walk through the main job, stop it; exit code 0 if all held.",
    ),
    "down": LazyCommand(
        f"{_ROOM}.lifecycle:down", "Stop the sandbox that runs in DIR, from any terminal."
    ),
    "event": LazyCommand(
        f"{_ROOM}.event:event",
        "Change something in the federation, and tell the registry of it as a CloudEvent.",
    ),
    "events": LazyCommand(
        f"{_ROOM}.events:events",
        "Show the events that the Event Service's stand-in took, oldest first.",
    ),
    "exec": LazyCommand(
        f"{_ROOM}.use:execute",
        "Run COMMAND with this sandbox's settings in its environment; its exit code is ours.",
    ),
    "portal": LazyCommand(
        f"{_ROOM}.portal:portal",
        "Open the local portal in a browser: an e-Box as its user sees it.",
    ),
    "status": LazyCommand(
        f"{_ROOM}.lifecycle:status",
        "Show the processes and whether the registry is well; exit code 1 unless all is.",
    ),
    "token": LazyCommand(
        f"{_ROOM}.use:token",
        "Print a bearer token of PERSONA, got the real way: with a signed assertion.",
    ),
    "up": LazyCommand(f"{_ROOM}.lifecycle:up", "Start everything and wait; Ctrl-C stops it all."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def sandbox() -> None:
    """A whole local federation on loopback, from nothing.

    PostgreSQL, SeaweedFS (S3), stand-ins for the authorization server, the Partition API, the
    Federation WS and the Event Service, a local portal, and this registry with test data.
    """
