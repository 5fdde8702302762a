"""The audit trail as operators and their programs see it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from registry.audit.investigation import Told
from registry.audit.trail.findings import Finding
from registry.audit.verification import Comparison, Tell
from registry.cli.output import local, plain
from registry.cli.services import progress

FINDINGS: Final = ("seal", "finding", "entries", "what")
STORY: Final = ("when", "who", "token", "seal", "status", "what", "details")
_HASH_SHOWN: Final = 8  # digits
_NUMBERS_SHOWN: Final = 10


@contextmanager
def watched() -> Iterator[Tell]:
    """A bar on standard error, only where somebody looks at it."""
    shown = (TextColumn("seals"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with progress(*shown) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def finding(found: Finding) -> Sequence[str]:
    """A finding as a row of the list."""
    numbers = ", ".join(map(str, found.entries[:_NUMBERS_SHOWN]))
    if len(found.entries) > _NUMBERS_SHOWN:
        numbers += f" and {len(found.entries) - _NUMBERS_SHOWN} more"
    seal = "" if found.seal is None else str(found.seal)
    return seal, found.kind, numbers, plain(found.detail)


def figures(comparison: Comparison) -> Iterator[str]:
    """What was looked at, and what could not be yet."""
    yield f"Entries under seals: {comparison.sealed}; seals: {comparison.seals}."
    yield f"Entries that were compared with their seals: {comparison.compared}."
    if comparison.oldest:
        since = local(comparison.oldest)
        yield f"Entries that are not yet under a seal: {comparison.unsealed}, since {since}."


def verdict(comparison: Comparison, found: Sequence[Finding]) -> dict[str, Any]:
    """Both for a program."""
    oldest = {"unsealedSince": comparison.oldest} if comparison.oldest else {}
    return {
        "isIntact": not found,
        "seals": comparison.seals,
        "sealed": comparison.sealed,
        "compared": comparison.compared,
        "unsealed": comparison.unsealed,
        **oldest,
        "findings": [
            {
                "kind": each.kind.value,
                **({} if each.seal is None else {"seal": each.seal}),
                "entries": each.entries,
                "detail": plain(each.detail),
            }
            for each in found
        ],
    }


def line(told: Told, bases: Sequence[str]) -> Sequence[str]:
    """An entry as a row of its story; `bases` are base paths, which say nothing."""
    entry = _members(told)
    url = str(entry.get("API_CALL_REQUEST_URL", ""))
    for base in bases:
        url = url.removeprefix(base)
    shown = (
        entry.get("CLIENT_ID", ""),
        str(entry.get("SUBJECT_TOKEN_HASHED") or "")[:_HASH_SHOWN],
        _seal(told),
        entry.get("API_CALL_RESPONSE_CODE", ""),
        f"{entry.get('API_CALL_REQUEST_METHOD', '')} {url}",
        _short(entry.get("API_CALL_DETAILS", entry)),
    )
    return local(told.recorded_at), *(plain(str(each)) for each in shown)


def members(told: Told) -> dict[str, Any]:
    """An entry for a program, as it is."""
    number, text, ebox, person = told.record
    known = {
        "number": number,
        "recordedAt": told.recorded_at,
        "seal": told.seal,
        "isAsSealed": None if told.seal is None else told.is_sealed_so,
        "ebox": ebox,
        "person": person,
        "entry": _discreet(_members(told) or text),
    }
    return {name: value for name, value in known.items() if value is not None}


def _seal(told: Told) -> str:
    if told.seal is None:
        return "not yet"
    return str(told.seal) if told.is_sealed_so else f"{told.seal} differs"


def _members(told: Told) -> Mapping[str, Any]:
    """The members of an entry; none where somebody has made it something else."""
    try:
        read = json.loads(told.record.text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _short(details: Any) -> str:
    if not isinstance(details, Mapping):
        return str(details)
    return ", ".join(f"{name}: {_value(value)}" for name, value in details.items())


def _value(value: Any) -> str:
    match value:
        case [only] if not isinstance(only, dict):
            return str(only)
        case list():
            return str(len(value))
        case dict():
            return _short(value)
    return str(value)


def _discreet(value: Any) -> Any:
    """The same without an SSIN, should there be any."""
    match value:
        case str():
            return plain(value)
        case list():
            return [_discreet(each) for each in value]
        case dict():
            return {plain(name): _discreet(each) for name, each in value.items()}
    return value
