"""Passphrases: from a file or from whoever types, and never among the words of a command."""

from pathlib import Path
from typing import Final

import click

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
from_passphrase_file = click.option(
    "--passphrase-file",
    type=FILE,
    help="Holds the passphrase; else you are asked, where one is needed.",
)


def read_passphrase_file(path: Path) -> bytes:
    """Read a passphrase, without the end of its line; raises `click.UsageError`."""
    try:
        passphrase = path.read_bytes().rstrip(b"\r\n")
    except OSError:
        raise click.UsageError("The file with the passphrase cannot be read.") from None
    if not passphrase:
        raise click.UsageError("The file with the passphrase is empty.")
    return passphrase


def ask_for_passphrase(prompt: str, *, is_new: bool = False) -> bytes:
    """Ask whoever types, twice for a new one; nothing of it is shown."""
    answer: str = click.prompt(prompt, hide_input=True, err=True, confirmation_prompt=is_new)
    return answer.encode()
