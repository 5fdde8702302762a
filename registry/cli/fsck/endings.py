"""Ends of a check that did not come to its end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from registry.cli.services import explain_error
from registry.domain.errors import RegistryError

_EXIT_CODE_OF_SIGINT: Final = 130


class Unfinished(click.ClickException):
    """The check did not come to its end."""

    exit_code = 3


@contextmanager
def advise_at_the_end(advice: str) -> Iterator[None]:
    """Say how to go on when what is in the block is stopped, or fails: exit codes 130 and 3."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"Stopped. {advice}", err=True)
        sys.exit(_EXIT_CODE_OF_SIGINT)
    except RegistryError as error:
        raise Unfinished(f"{explain_error(error)} {advice}") from None
