"""Lines of reports for operators and their programs: grade, subject, what was seen, what to do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from registry.domain.report_lines import ReportLine

_HEADINGS = ("", "what", "seen", "to do")


def print_lines(lines: Sequence["ReportLine"]) -> None:
    """Print a line for each, and a summary below."""
    from registry.cli.output import print_table

    rows = [(each.grade.value, each.subject, each.observation, each.remedy) for each in lines]
    print_table(_HEADINGS, rows)
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
