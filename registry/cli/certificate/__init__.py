"""`registry certificate …`: for the onboarding of providers and of senders."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_ROOM: Final = "registry.cli.certificate"
_COMMANDS: Final = {
    "check": LazyCommand(
        f"{_ROOM}.check:check",
        "Say whether a certificate is fit for the federation, and for how long.",
    ),
    "request": LazyCommand(
        f"{_ROOM}.request:request",
        "Make a key, and the request with which a certificate is asked for.",
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def certificate() -> None:
    """Ask for the certificate by which the federation knows you, and check it."""
