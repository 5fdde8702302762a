"""Options that several commands of operators have, and groups whose errors keep quiet."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from registry.terminal.lazy_group import LazyGroup
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.terminal.options import Option

_LONGEST: Final = 10 * 366 * 24  # hours

with_state = click.option(
    "--state",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Note in this file how far it came; the same call then goes on from there.",
)
in_json = click.option("--json", "is_json", is_flag=True, help="Tell a program, in JSON.")


def with_age(purpose: str) -> "Option":
    """Give a command `older_than`: an age in hours, a day unless another is given."""
    return click.option(
        "--older-than",
        metavar="HOURS",
        type=click.IntRange(0, _LONGEST),
        default=24,
        show_default=True,
        help=purpose,
    )


def with_reason(purpose: str) -> "Option":
    """Give a command `why`: the reason of a decision, which is required and says something."""
    return click.option("--why", required=True, callback=_strip_reason, help=purpose)


class QuietLazyGroup(LazyGroup):
    """A group whose errors do not repeat the number of a citizen that was typed."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was typed."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            # click quotes what was typed, and what a scheduler runs ends in its log.
            raise click.UsageError(clean_text(error.format_message()), error.ctx) from None


class QuietCommand(click.Command):
    """A command whose errors do not repeat the number of a citizen that was typed."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the words that were typed."""
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as error:
            raise click.UsageError(clean_text(error.format_message()), error.ctx) from None


def _strip_reason(_: click.Context, __: click.Parameter, value: str) -> str:
    # `required` is content with an empty text, of which nobody learns anything later.
    if not value.strip():
        raise click.BadParameter("It is blank.")
    return value.strip()
