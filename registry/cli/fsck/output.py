"""Findings of a check of documents, for people and for programs: a line for each."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from registry.cli.fsck.state import OBJECTS, CheckState
from registry.domain.storage_findings import StorageFault, StorageFinding
from registry.terminal.screen import make_progress

_WIDTH: Final = max(len(fault.value) for fault in StorageFault)


class CheckBar:
    """A bar for each of the two steps of a check."""

    def __init__(self, update: Any, task: Any, total: int) -> None:
        self._update, self._task, self._total = update, task, total

    def show(self, state: CheckState) -> None:
        """Show how far the check has come."""
        is_second = state.step == OBJECTS
        count = state.objects if is_second else state.documents
        # The total is an estimate.
        total = None if is_second else max(self._total, count)
        self._update(self._task, description=state.step, completed=count, total=total)


@contextmanager
def show_check(total: int) -> Iterator[CheckBar]:
    """Show the bar on standard error, if that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with make_progress(*columns) as bar:
        yield CheckBar(bar.update, bar.add_task("", total=None), total)


def print_finding(finding: StorageFinding, *, is_json: bool) -> None:
    """Print a finding by its key and message, which name nobody."""
    message_id = None if finding.message_id is None else str(finding.message_id)
    if is_json:
        members = {
            "finding": finding.fault.value,
            "key": finding.key,
            "messageId": message_id,
            "outcome": finding.outcome,
            "isSettled": finding.is_settled,
        }
        _print_line({name: value for name, value in members.items() if value is not None})
        return
    about = [f"{finding.fault.value:{_WIDTH}}", finding.key, f"message {message_id or 'unknown'}"]
    click.echo("  ".join([*about, finding.outcome] if finding.outcome else about))


def print_summary(state: CheckState, *, is_json: bool) -> None:
    """Print the figures of a check that came to its end."""
    if is_json:
        figures = {
            "isSound": not state.findings,
            "documents": state.documents,
            "objects": state.objects,
            "bytesRead": state.bytes_read,
            "findings": state.findings,
            "unsettled": state.unsettled_count,
        }
        _print_line(figures)
        return
    click.echo(
        f"Documents checked: {state.documents}; objects: {state.objects};"
        f" bytes read: {state.bytes_read}."
    )
    for fault in StorageFault:
        if count := state.findings.get(fault.value):
            click.echo(f"{fault.value}: {count}. {fault.description}")
    if not state.findings:
        click.echo("Storage has what the database promises.")


def _print_line(members: dict[str, Any]) -> None:
    click.echo(json.dumps(members))
