"""`registry rescan`: malware that is found later."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.fsck.endings import Unfinished, advise_at_the_end
from registry.cli.operator import named_operator
from registry.cli.options import in_json, with_state
from registry.cli.rescan.state import RescanState
from registry.cli.services import worker_services
from registry.domain.errors import Unavailable
from registry.terminal.screen import show_count
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.services.documents.rescan import Rescan, ScannedBatch, ScannedDocument

_TIME: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"])
_PAUSES: Final = (0.5, 1.0, 2.0)  # seconds before a batch is tried again
_CLEAN: Final = "clean"
_INFECTED: Final = "infected"
_VERDICTS: Final = (_CLEAN, _INFECTED, "unscanned", "unreadable")
_LONGEST: Final = 500  # characters of a reason
_WHY: Final = "malware: found when its documents were looked at again"


def _read_time(_: click.Context, __: click.Parameter, value: datetime) -> datetime:
    # A day without a zone begins at midnight of Belgium.
    from registry.domain.belgian_time import BELGIUM

    instant = value if value.tzinfo else value.replace(tzinfo=BELGIUM)
    if instant - timedelta(seconds=1) > datetime.now(BELGIUM):
        raise click.BadParameter("It is in the future.")
    return instant


@click.command()
@click.option(
    "--since",
    metavar="TIME",
    required=True,
    type=_TIME,
    callback=_read_time,
    help="Look at what was published from then on, such as 2026-11-27 or 2026-11-27T09:00+01:00.",
)
@click.option(
    "--quarantine", "is_withdrawing", is_flag=True, help="Withdraw the messages with malware."
)
@click.option(
    "--why", default=_WHY, show_default=True, help="Reason of the withdrawals, for the trail."
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 8),
    default=2,
    show_default=True,
    help="How many documents clamd looks at at a time.",
)
@with_state
@named_operator
@in_json
def rescan(
    *,
    since: datetime,
    is_withdrawing: bool,
    why: str,
    at_once: int,
    path: Path | None,
    is_json: bool,
) -> None:
    """Show the documents of a time to the malware scanner again.

    Each is read from storage once, however many e-Boxes have it. What clamd finds is told and noted
    in the audit trail, as is what it did not look at whole and what cannot be read. Nothing is
    changed without --quarantine, which withdraws the messages as `registry message withdraw` does.
    What is withdrawn already is left out.

    Exit code 0 when nothing is left, 1 when something is: malware in an e-Box, or a document that
    was not looked at; 2 when the call is wrong, 3 when it could not be finished.

    Example: registry rescan --since 2026-11-01 --quarantine --state /var/lib/registry/rescan.json
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder for {path}.")
    counts = _carry_out(since, why if is_withdrawing else None, at_once, path, is_json=is_json)
    _print_sums(counts, is_json=is_json)
    if path is not None:
        path.unlink(missing_ok=True)  # the next call begins anew
    if counts["left"]:
        raise click.ClickException(f"Documents with something left to do: {counts['left']}.")


def _carry_out(
    since: datetime, why: str | None, at_once: int, path: Path | None, *, is_json: bool
) -> Counter[str]:
    """Scan from where the state says to the end; gives the numbers of verdicts."""
    state = RescanState.load(path, since)
    counts = Counter(state.counts)
    with worker_services("documents", "malware scanner", "hash key") as services:
        rescan_service = services.rescan
        with advise_at_the_end(_advise(path)), show_count() as show:
            for batch in _scan_patiently(rescan_service, state, at_once):
                for document in batch.documents:
                    final = _settle(rescan_service, document, why)
                    if final.verdict.value != _CLEAN:
                        rescan_service.note(final)
                        _print_finding(final, is_json=is_json)
                    counts[final.verdict.value] += 1
                    counts["left"] += final.verdict.value != _CLEAN and not final.is_settled
                    counts["bytes"] += final.size
                state.move(batch.place, counts)
                _save(state, path)
                show(sum(counts[each] for each in _VERDICTS))
            rescan_service.note_end(since, dict(counts))
    return counts


def _scan_patiently(
    rescan_service: "Rescan", state: RescanState, at_once: int
) -> Iterator["ScannedBatch"]:
    """Scan from where the state says; a batch that fails is tried again, a few times in a row."""
    pauses = iter(_PAUSES)
    while True:
        try:
            for batch in rescan_service.scan(state.make_place(), at_once=at_once):
                yield batch
                pauses = iter(_PAUSES)
        except Unavailable:
            pause = next(pauses, None)
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def _settle(
    rescan_service: "Rescan", document: "ScannedDocument", why: str | None
) -> "ScannedDocument":
    if document.verdict.value != _INFECTED or why is None:
        return document
    return rescan_service.quarantine(document, clean_text(why, _LONGEST))


def _save(state: RescanState, path: Path | None) -> None:
    try:
        state.save(path)
    except OSError as error:
        raise Unfinished(f"{path} cannot be written: {error.strerror}.") from None


def _print_finding(document: "ScannedDocument", *, is_json: bool) -> None:
    if is_json:
        members = {
            "verdict": document.verdict.value,
            "messageId": str(document.message_id),
            "key": document.blob_key,
            "isWithdrawn": document.is_settled,
        }
        click.echo(json.dumps(members))
        return
    end = "; its message is withdrawn" if document.is_settled else ""
    click.echo(
        f"{document.verdict.value}: {document.blob_key} of message {document.message_id}{end}"
    )


def _print_sums(counts: Counter[str], *, is_json: bool) -> None:
    sums = {name: counts[name] for name in (*_VERDICTS, "bytes", "left")}
    if is_json:
        click.echo(json.dumps(sums))
        return
    words = "; ".join(f"{name}: {number}" for name, number in sums.items() if name != "left")
    click.echo(f"Documents that were looked at: {words}.")


def _advise(path: Path | None) -> str:
    if path is None:
        return "It is not finished; with --state FILE it could go on."
    return "It is not finished; the same call goes on from here."
