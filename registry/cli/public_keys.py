"""Public keys that an operator or auditor trusts, named by their files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.audit.trail.keys import Keys
    from registry.terminal.options import Option


def with_keys(purpose: str) -> "Option":
    """Give a command `paths`: the files of public keys, none unless `--key` is given."""
    return click.option(
        "--key",
        "paths",
        metavar="PUBLIC.pem",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"{purpose}; may be repeated.",
    )


def read_keys(paths: Sequence[Path]) -> "Keys":
    """Read public keys in PEM; one that cannot be read is told in one sentence."""
    from registry.audit.trail.keys import NoKey, make_keyring, parse_public_key

    public_keys = []
    for path in paths:
        try:
            public_keys.append(parse_public_key(path.read_bytes()))
        except NoKey as error:
            raise click.ClickException(f"{path}: {error}") from None
        except OSError as error:
            raise click.ClickException(f"{path}: {error.strerror}.") from None
    return make_keyring(public_keys)
