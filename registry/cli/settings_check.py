"""`registry settings check`: the report on settings, for people and for programs."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from registry.cli.options import in_json
from registry.cli.output import print_json, print_members
from registry.cli.progress import show_checks
from registry.domain.diagnoses import Diagnosis, Severity
from registry.terminal.screen import make_console

if TYPE_CHECKING:
    from registry.diagnosis.report import Report

_ROOM: Final = 100  # columns that a table needs to be read
_NONE: Final = "this machine"  # where it is none of the settings


@click.command()
@click.option("--online", is_flag=True, help="Also ask everybody whom the settings name.")
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 600),
    help="How long all who are asked have for their answers, together; else 15.",
)
@in_json
def check(*, online: bool, patience: float | None, is_json: bool) -> None:
    """Say everything that is wrong with the settings at once, and what to do about it.

    With --online it asks databases, buckets, the authorization server, the federation's services,
    clamd, the store of shared counts and the public address, all at the same time; none of them is
    told or changed anything. Whom a setting with a fault names is not asked, and listed.

    Exit code 1 when there is a fault, 0 when there are warnings at most. The worker's settings are
    looked at where REGISTRY_DATABASE_WORKER_URL is set.

    Example: registry settings check --online --json
    """
    from registry.diagnosis.report import PATIENCE, report_offline, report_online

    if online:
        limit = PATIENCE if patience is None else patience
        with show_checks() as progress:
            report = report_online(os.environ, progress, limit)
    else:
        report = report_offline(os.environ)
    if is_json:
        print_json(_make_members(report))
    else:
        _print_report(report, online=online)
    if report.has_faults:
        sys.exit(1)


def _make_members(report: "Report") -> dict[str, Any]:
    return {
        "diagnoses": [asdict(each) for each in report.diagnoses],
        "looks": report.looks,
        "skips": report.skips,
    }


def _print_report(report: "Report", *, online: bool) -> None:
    if report.diagnoses:
        _print_diagnoses(report.diagnoses)
        click.echo()
    for name, variables in report.skips.items():
        click.echo(f"Not asked: {name}, for the fault in {', '.join(variables)}.")
    click.echo(_summarize(report, online=online))


def _print_diagnoses(diagnoses: Sequence[Diagnosis]) -> None:
    console = make_console()
    if console.width < _ROOM:
        for number, each in enumerate(diagnoses):
            if number:
                click.echo()
            print_members(_list_members(each))
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_lines=True)
    table.add_column("", no_wrap=True)
    table.add_column("setting", no_wrap=True)
    table.add_column("what is wrong", overflow="fold", ratio=3)
    table.add_column("what to do", overflow="fold", ratio=2)
    for each in diagnoses:
        table.add_row(
            each.severity.value,
            "\n".join(each.settings or (_NONE,)),
            f"{each.observation} {each.reason}",
            each.remedy,
        )
    console.print(table, highlight=False)


def _list_members(diagnosis: Diagnosis) -> dict[str, str]:
    return {
        diagnosis.severity.value: ", ".join(diagnosis.settings or (_NONE,)),
        "seen": diagnosis.observation,
        "cause": diagnosis.reason,
        "to do": diagnosis.remedy,
    }


def _summarize(report: "Report", *, online: bool) -> str:
    counts = Counter(each.severity for each in report.diagnoses)
    if not counts:
        well = f", and the {len(report.looks)} that were asked are well" if online else ""
        return f"The settings are complete{well}."
    faults, warnings = counts[Severity.FAULT], counts[Severity.WARNING]
    return f"{_count(faults, 'fault')}, {_count(warnings, 'warning')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
