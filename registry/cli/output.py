"""Output for operators: e-Boxes without numbers of citizens, Belgian times, tables, JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from registry.domain.belgian_time import BELGIUM
from registry.terminal.screen import make_console

if TYPE_CHECKING:
    from registry.domain.identifiers import Ebox

_ROOM: Final = 24  # columns that the last one needs to be read
_GAP: Final = 2


def name_owner(ebox: "Ebox") -> str:
    """Name the owner of an e-Box for a person: enterprises by their number, citizens by none."""
    return f"{ebox.kind} {ebox.enterprise_number or '…'}"


def make_owner_members(ebox: "Ebox") -> dict[str, str]:
    """Name the owner of an e-Box for a program, a citizen by nothing but his kind."""
    number = ebox.enterprise_number
    return {"eboxType": ebox.kind.value, **({"enterpriseNumber": number} if number else {})}


def write_local_time(instant: datetime) -> str:
    """Write an instant by the clock of Belgium, with its distance from UTC."""
    return instant.astimezone(BELGIUM).isoformat(" ", "seconds")


def print_json(value: Any) -> None:
    """Print a value for a program; instants in UTC."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_write_value))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose last column alone may wrap.

    Where that has no room, the rows come one below the other, so that ids stay whole.
    """
    from rich.cells import cell_len
    from rich.table import Table

    console = make_console()
    # Where there is no room Rich cuts what may not wrap, so the room is measured before.
    columns = list(zip(headings, *rows, strict=True))
    *widths, last = (max(map(cell_len, column)) for column in columns)
    room = console.width - sum(widths) - _GAP * len(widths)
    if room < _ROOM:
        _print_below(headings, rows)
        return
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    # An id that goes on in the next line cannot be copied: only the last column may wrap. Rich
    # would measure each cell again, which takes as long as to print it.
    for heading, width in zip(headings[:-1], widths, strict=True):
        table.add_column(heading, no_wrap=True, width=width)
    table.add_column(headings[-1], overflow="fold", width=min(last, room))
    for row in rows:
        table.add_row(*row)
    console.print(table, highlight=False)


def print_members(members: Mapping[str, str]) -> None:
    """Print one thing in full, a line for each member that has a value."""
    width = max(map(len, members))
    for name, value in members.items():
        if value:
            click.echo(f"{name:{width}}  {value}")


def _print_below(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            click.echo()
        print_members(dict(zip(headings, row, strict=True)))


def _write_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
