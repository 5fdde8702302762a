"""The operator who types a command, by the name that the audit trail has of him."""

import os
import pwd
from typing import Final

import click

from registry.terminal.text import clean_text

_PARAMETER: Final = "registry.operator"  # among what click keeps of a command
_LONGEST: Final = 100  # characters


def _keep_name(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None and not value.strip():
        raise click.BadParameter("It is blank.")
    context.meta[_PARAMETER] = value


named_operator = click.option(
    "--as",
    metavar="NAME",
    expose_value=False,
    callback=_keep_name,
    help="Who you are, for the audit trail; else the user of the operating system.",
)


def find_operator() -> str:
    """Find the name that was typed, else that of the user whom this process belongs to."""
    context = click.get_current_context(silent=True)
    name = context.meta.get(_PARAMETER) if context else None
    return clean_text(name.strip() if name else _find_user(), _LONGEST)


def _find_user() -> str:
    user = os.getuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # in a container there is often a number alone
        return f"uid {user}"
