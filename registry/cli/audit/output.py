"""The audit trail as operators and their programs see it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from registry.cli.output import write_local_time
from registry.terminal.screen import make_progress
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from pathlib import Path

    from registry.audit.entry_search import LocatedEntry
    from registry.audit.trail.evidence_report import EvidenceReport
    from registry.audit.trail.letter_story import StoryLine
    from registry.audit.trail.verify import Finding
    from registry.audit.verification import ReportProgress, VerificationFigures

FINDINGS: Final = ("seal", "finding", "entries", "what")
STORY: Final = ("first", "last", "times", "by", "event", "what")
ENTRIES: Final = ("when", "who", "token", "seal", "status", "what", "details")
_HASH_DIGITS: Final = 8  # enough to tell calls apart by eye; JSON has them all
_MOST_CLIENTS: Final = 3  # named in a row
_PLAIN_TIME: Final = len("2026-11-27T09:30:00+01:00")
_MOST_NUMBERS: Final = 10  # entries named in a row; a cut trail may miss millions


@contextmanager
def show_progress() -> Iterator["ReportProgress"]:
    """Show a bar on standard error, if that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("seals"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with make_progress(*columns) as bar:
        task = bar.add_task("", total=None)
        yield lambda count, total: bar.update(task, completed=count, total=total)


def make_finding_row(finding: "Finding") -> Sequence[str]:
    """Make a row of the list of a finding."""
    numbers = ", ".join(map(str, finding.entries[:_MOST_NUMBERS]))
    if len(finding.entries) > _MOST_NUMBERS:
        numbers += f" and {len(finding.entries) - _MOST_NUMBERS} more"
    seal = "" if finding.seal is None else str(finding.seal)
    return seal, finding.kind, numbers, clean_text(finding.detail)


def write_figures(figures: "VerificationFigures") -> Iterator[str]:
    """Write the counts of a verification, a line each."""
    yield f"Entries under seals: {figures.sealed_entries}; seals: {figures.seals}."
    yield f"Entries that were compared with their seals: {figures.compared_entries}."
    if figures.oldest_unsealed:
        since = write_local_time(figures.oldest_unsealed)
        yield f"Entries that are not yet under a seal: {figures.unsealed_entries}, since {since}."


def make_verdict(
    figures: "VerificationFigures", findings: Sequence["Finding"], breaks: Sequence["Finding"]
) -> dict[str, Any]:
    """Make JSON of the counts and findings of a verification, and of the breaks that are known."""
    oldest = {"unsealedSince": figures.oldest_unsealed} if figures.oldest_unsealed else {}
    return {
        "isIntact": not findings,
        "seals": figures.seals,
        "sealed": figures.sealed_entries,
        "compared": figures.compared_entries,
        "unsealed": figures.unsealed_entries,
        **oldest,
        "findings": [_make_finding_members(finding) for finding in findings],
        "breaks": [_make_finding_members(finding) for finding in breaks],
    }


def _make_finding_members(finding: "Finding") -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        **({} if finding.seal is None else {"seal": finding.seal}),
        "entries": finding.entries,
        "detail": clean_text(finding.detail),
    }


def make_story_row(line: "StoryLine") -> Sequence[str]:
    """Make a row of what happened to a letter."""
    clients = ", ".join(line.clients[:_MOST_CLIENTS])
    if len(line.clients) > _MOST_CLIENTS:
        clients += f" and {len(line.clients) - _MOST_CLIENTS} more"
    codes = ", ".join(event.partition(" ")[0] for event in line.step.events)
    first, last = (_write_seconds(time) for time in (line.first, line.last))
    return first, last, str(line.count), clean_text(clients), codes, line.step.title


def make_story_members(line: "StoryLine") -> dict[str, Any]:
    """Make JSON of the same, with the numbers of its entries."""
    return {
        "step": line.step.name.lower(),
        "what": line.step.title,
        "events": list(line.step.events),
        "first": line.first,
        "last": line.last,
        "times": line.count,
        "clients": [clean_text(client) for client in line.clients],
        "entries": list(line.numbers),
    }


def warn_of_hidden(entries: int) -> None:
    """Warn of entries that a scan has read and the index does not find, if there are any."""
    if entries:
        click.echo(
            f"The index does NOT find {entries} of these: it was changed, or is damaged. The"
            " runbook of the audit trail says how it is made anew.",
            err=True,
        )


def make_evidence_members(report: "EvidenceReport", strangers: Sequence["Path"]) -> dict[str, Any]:
    """Make JSON of a package of evidence; `strangers` are no documents of its letter."""
    return {
        "holds": not report.findings,
        "messageId": report.message_id,
        "signedBy": report.signer,
        "keys": list(report.keys),
        "story": [make_story_members(line) for line in report.story],
        "documents": list(report.digests),
        "strangers": [str(path) for path in strangers],
        "findings": [_make_finding_members(finding) for finding in report.findings],
    }


def _write_seconds(time: str) -> str:
    """Leave out of a time of the trail what is less than a second."""
    return time[:19].replace("T", " ") + time[-6:] if len(time) > _PLAIN_TIME else clean_text(time)


def make_entry_row(entry: "LocatedEntry", bases: Sequence[str]) -> Sequence[str]:
    """Make a row of the list of an entry; `bases` are base paths, which are left out of its URL."""
    members = _parse(entry)
    url = str(members.get("API_CALL_REQUEST_URL", ""))
    for base in bases:
        url = url.removeprefix(base)
    cells = (
        members.get("CLIENT_ID", ""),
        str(members.get("SUBJECT_TOKEN_HASHED") or "")[:_HASH_DIGITS],
        _write_seal(entry),
        members.get("API_CALL_RESPONSE_CODE", ""),
        f"{members.get('API_CALL_REQUEST_METHOD', '')} {url}",
        _shorten(members.get("API_CALL_DETAILS", members)),
    )
    return write_local_time(entry.recorded_at), *(clean_text(str(cell)) for cell in cells)


def make_entry_members(entry: "LocatedEntry") -> dict[str, Any]:
    """Make JSON of an entry, as it is."""
    number, text, ebox, person, _ = entry.record
    members = {
        "number": number,
        "recordedAt": entry.recorded_at,
        "seal": entry.seal,
        "isAsSealed": None if entry.seal is None else entry.is_as_sealed,
        "ebox": ebox,
        "person": person,
        "entry": _mask(_parse(entry) or text),
    }
    return {name: value for name, value in members.items() if value is not None}


def _write_seal(entry: "LocatedEntry") -> str:
    if entry.seal is None:
        return "not yet"
    return str(entry.seal) if entry.is_as_sealed else f"{entry.seal} differs"


def _parse(entry: "LocatedEntry") -> Mapping[str, Any]:
    """Parse an entry; no members where somebody has made it something else."""
    try:
        members = json.loads(entry.record.text)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def _shorten(details: Any) -> str:
    """Write details for a row: of a long list only its length."""
    if not isinstance(details, Mapping):
        return str(details)
    return ", ".join(f"{name}: {_shorten_value(value)}" for name, value in details.items())


def _shorten_value(value: Any) -> str:
    match value:
        # One id says more than "1"; of more only the number fits in a row.
        case [only] if not isinstance(only, dict):
            return str(only)
        case list():
            return str(len(value))
        case dict():
            return _shorten(value)
    return str(value)


def _mask(value: Any) -> Any:
    """Take SSINs out of a value, should there be any: a URL may carry one."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_mask(item) for item in value]
        case dict():
            return {clean_text(name): _mask(item) for name, item in value.items()}
    return value
