"""What operators are shown: e-Boxes without numbers of citizens, Belgian times, tables, JSON."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from registry.domain.belgian_time import BELGIUM
from registry.domain.identifiers import Ebox
from registry.domain.personal_data import mask_personal_numbers

_PIPED: Final = 240  # columns where nobody looks at a terminal
_ROOM: Final = 24  # columns that the last one needs to be read
_GAP: Final = 2


def plain(text: str | None) -> str:
    """Text of others without an SSIN, and without what could play tricks on a terminal."""
    shown = "".join(character if character.isprintable() else " " for character in text or "")
    return mask_personal_numbers(shown)


def owner(ebox: Ebox) -> str:
    """Whose e-Box, for a person: enterprises by their number, citizens by none."""
    return f"{ebox.kind} {ebox.enterprise_number or '…'}"


def owner_members(ebox: Ebox) -> dict[str, str]:
    """The same for a program."""
    number = ebox.enterprise_number
    return {"eboxType": ebox.kind.value, **({"enterpriseNumber": number} if number else {})}


def local(instant: datetime) -> str:
    """On the clock of Belgium, with its distance from UTC."""
    return instant.astimezone(BELGIUM).isoformat(" ", "seconds")


def as_json(value: Any) -> None:
    """Print it for a program; instants in UTC."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_text))


def tabulate(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose last column alone may wrap.

    Where that has no room, the rows come one below the other, so that ids stay whole.
    """
    is_sized = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if is_sized else _PIPED, markup=False, emoji=False)
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(cell_len, column)) + _GAP for column in columns[:-1]]
    if sum(widths) + _ROOM > console.width:
        _stack(headings, rows)
        return
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    for heading in headings[:-1]:
        table.add_column(heading, no_wrap=True)
    table.add_column(headings[-1], overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table, highlight=False)


def itemise(members: Mapping[str, str]) -> None:
    """Print one thing in full, a line for each of what is known of it."""
    width = max(map(len, members))
    for name, value in members.items():
        if value:
            click.echo(f"{name:{width}}  {value}")


def _stack(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            click.echo()
        itemise(dict(zip(headings, row, strict=True)))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
