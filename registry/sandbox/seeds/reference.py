"""Senders of the sandbox: Belgian organizations as a reader knows them, and one of ours.

They are in `reference.yaml` beside this, a file as operators have one.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from registry.cli.refdata.reader import read_reference_file
from registry.domain.reference_set import ReferenceSet, compare_sets
from registry.store.reference_set import read_set, write_changes

FINANCE: Final = "0308357159"
SOCIAL_SECURITY: Final = "0206731645"
JUSTICE: Final = "0308357753"

FILE: Final = Path(__file__).with_suffix(".yaml")


def read_seeds() -> ReferenceSet:
    """Read the file."""
    return read_reference_file(FILE, check_digits=True)


def plant(connection: Connection) -> None:
    """Make a database have these reference data, and no entry in the trail of it."""
    new = read_seeds()
    write_changes(connection, new, compare_sets(read_set(connection), new))
