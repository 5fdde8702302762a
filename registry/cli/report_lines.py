"""Lines of reports for operators and their programs: grade, subject, what was seen, what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from registry.domain.report_lines import ReportLine

_ROOM: Final = 100  # columns that a table needs to be read


def print_lines(lines: Sequence["ReportLine"]) -> None:
    """Print a line for each, one below the other where there is no room, and a summary."""
    from registry.cli.output import print_members
    from registry.terminal.screen import make_console

    if make_console().width >= _ROOM:
        _print_table(lines)
    for number, line in enumerate(lines if make_console().width < _ROOM else ()):
        if number:
            click.echo()
        members = {"seen": line.observation, "to do": line.remedy}
        print_members({line.grade.value: line.subject, **members})
    click.echo()
    click.echo(summarize_lines(lines))


def summarize_lines(lines: Sequence["ReportLine"]) -> str:
    """Say how many lines there are of each grade."""
    counts = {
        grade: sum(each.grade == grade for each in lines) for grade in ("fail", "warn", "pass")
    }
    return ", ".join(f"{count} {grade}" for grade, count in counts.items()) + "."


def make_line_members(line: "ReportLine") -> dict[str, str]:
    """Make the members of a line for programs; `remedy` where there is something to do."""
    members = {
        "subject": line.subject,
        "grade": line.grade.value,
        "observation": line.observation,
        "remedy": line.remedy,
    }
    return {name: value for name, value in members.items() if value}


def _print_table(lines: Sequence["ReportLine"]) -> None:
    from rich.table import Table

    from registry.terminal.screen import make_console

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("seen", overflow="fold", ratio=3)
    table.add_column("to do", overflow="fold", ratio=2)
    for line in lines:
        table.add_row(line.grade.value, line.subject, line.observation, line.remedy)
    make_console().print(table, highlight=False)
