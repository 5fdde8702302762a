"""`registry token`: for senders an access token, for operators what one opens."""

from typing import Any, Final

import click

from registry.cli.options import QuietLazyGroup
from registry.terminal.lazy_group import LazyCommand

_COMMANDS: Final = {
    "explain": LazyCommand(
        "registry.cli.token.explain:explain",
        "Say why a token gets what it gets, operation by operation.",
    ),
}
_PRINTING: Final = LazyCommand(
    "registry.sender.token:token", "Print an access token, got by signing with your private key."
).load()


def _print_unless_called(**options: Any) -> None:
    """Print a token, unless a command behind these options was called."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        context.invoke(_PRINTING, **options)


# The sender's command, with the operators' behind it: what senders typed they go on typing.
# By name, and not by import: the sender's client is a house of its own.
token: Final = QuietLazyGroup(
    "token",
    lazy=_COMMANDS,
    invoke_without_command=True,
    params=_PRINTING.params,
    help=_PRINTING.help,
    callback=_print_unless_called,
)
