"""What operators' commands ask for: options that several have, and errors that keep quiet."""

from typing import Any

import click

from registry.cli.options import Option
from registry.cli.output import plain

in_json = click.option("--json", "is_json", is_flag=True, help="Tell a program, in JSON.")


def reasoned(purpose: str) -> Option:
    """The reason of a decision, which is required and says something."""
    return click.option("--why", required=True, callback=_filled, help=purpose)


class Discreet(click.Group):
    """A group whose errors do not repeat the number of a citizen that was typed."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was typed."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise click.UsageError(plain(error.format_message()), error.ctx) from None


def _filled(_: click.Context, __: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("It is blank.")
    return value.strip()
