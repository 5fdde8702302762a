"""A drill's result: RPO, RTO, the losses by name, and what did not hold."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from registry.sandbox.drill.ledger import Acknowledgement

_MOST_NAMES: Final = 5  # of messages that a page names; the command names all
_INTRODUCTION: Final = """\
{plan.senders} senders publish, with a ledger outside of the registry of what was acknowledged.
PostgreSQL is backed up under that load with `pg_basebackup`, and archives its WAL every
{plan.archive_every} seconds at the latest. Then its processes are killed and its folder is deleted,
and it is restored beside the bucket as it is. Nobody is let in before `audit verify` is done.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """The drill that is wanted; all but `senders`, a number, in seconds.

    `publishing`: how long they publish after the backup; `archive_every`: PostgreSQL's
    archive_timeout; `rewind`: how long before the loss recovery ends, 0 for the archive's end.
    """

    senders: int
    publishing: int
    archive_every: int
    rewind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """The result of one drill.

    `absences` are acknowledged publications that the restored database had not got, `losses` those
    of them that `registry fsck --adopt` did not file again. `strays` are the messages of which
    `registry fsck` calls documents stray before that, `findings` all else that it finds. `orphans`
    are acknowledged messages whose document is not in storage at the end. `target` is where
    recovery was to end, None for the archive's end, `recovery_point` its last transaction.
    """

    plan: RestorePlan
    acknowledgements: int
    absences: Sequence[Acknowledgement]
    losses: Sequence[Acknowledgement]
    loss_at: datetime
    target: datetime | None
    recovery_point: datetime | None
    first_answer_at: datetime
    strays: Collection[str]
    findings: Sequence[str]
    orphans: Sequence[str]
    known_break: str
    seconds: Mapping[str, float]

    @property
    def rpo(self) -> float:
        """Seconds before the loss from which on the database has not got what was acknowledged."""
        if not self.absences:
            return 0.0
        return max((self.loss_at - self.absences[0].at).total_seconds(), 0.0)

    @property
    def rto(self) -> float:
        """Seconds from the loss to the first publication that was acknowledged again."""
        return (self.first_answer_at - self.loss_at).total_seconds()

    @property
    def stray_count(self) -> int:
        """Count the absences of which `registry fsck` has shown a document."""
        return sum(line.message_id in self.strays for line in self.absences)

    @property
    def adoption_count(self) -> int:
        """Count the absences that were filed again."""
        return len(self.absences) - len(self.losses)

    def find_faults(self) -> Iterator[str]:
        """Find what did not hold, a sentence each; an absence that is filed again is no fault."""
        ends = [each for each in (self.target, self.recovery_point) if each is not None]
        for line in self.absences:
            if line.message_id not in self.strays:
                yield f"registry fsck shows no document of absent message {line.message_id}."
            # A publication is committed before it is acknowledged.
            if not ends or line.at <= max(ends):
                yield f"Message {line.message_id} is absent, though the archive had it."
        for line in self.losses:
            yield f"Acknowledged message {line.message_id} is lost."
        for finding in self.findings:
            yield f"registry fsck finds more than strays: {finding}."
        for message_id in self.orphans:
            yield f"The document of acknowledged message {message_id} was deleted."


def write_lines(report: RestoreReport) -> Iterator[str]:
    """Write the result for people."""
    yield f"RPO {report.rpo:.1f} s: acknowledged in that time, and not in the restored database."
    yield f"RTO {report.rto:.1f} s: from the loss to the first publication that was acknowledged."
    yield f"Restored up to {report.recovery_point}; lost at {report.loss_at}."
    absence_count = len(report.absences)
    yield f"Acknowledged before the loss: {report.acknowledgements}; absent: {absence_count}."
    losses = {line.message_id for line in report.losses}
    for line in report.absences:
        before = (report.loss_at - line.at).total_seconds()
        fate = "lost" if line.message_id in losses else "filed again"
        yield f"  {line.message_id}, acknowledged {before:.1f} s before the loss: {fate}"
    yield f"Of the absent, registry fsck shows as strays: {report.stray_count}."
    yield f"Filed again by registry fsck --adopt: {report.adoption_count}; lost: {len(losses)}."
    yield f"Documents of acknowledged publications that are gone: {len(report.orphans)}."
    yield f"The audit trail: {report.known_break}."


def make_members(report: RestoreReport) -> dict[str, Any]:
    """Make JSON of the result, for programs."""
    point = report.recovery_point
    losses = {line.message_id for line in report.losses}
    return {
        "rpoSeconds": round(report.rpo, 3),
        "rtoSeconds": round(report.rto, 3),
        "lostAt": report.loss_at.isoformat(),
        "restoredUpTo": None if point is None else point.isoformat(),
        "acknowledged": report.acknowledgements,
        "absent": [
            {
                "messageId": line.message_id,
                "acknowledgedAt": line.at.isoformat(),
                "isStray": line.message_id in report.strays,
                "isLost": line.message_id in losses,
            }
            for line in report.absences
        ],
        "knownBreak": report.known_break,
        "stepSeconds": {name: round(seconds, 3) for name, seconds in report.seconds.items()},
        "faults": list(report.find_faults()),
    }


def write_section(report: RestoreReport) -> str:
    """Write the result as Markdown, for a section of a page."""
    figures = {
        "RPO: acknowledged in that time, and not in the restored database": f"{report.rpo:.1f} s",
        "RTO: from the loss to the first publication acknowledged again": f"{report.rto:.1f} s",
        f"absent, of {report.acknowledgements} acknowledged publications": len(report.absences),
        "of these, `registry fsck` shows the documents as strays": report.stray_count,
        "of these, `registry fsck --adopt` files again": report.adoption_count,
        "lost": len(report.losses),
        "documents of acknowledged publications that the sweep deletes": len(report.orphans),
    }
    faults = [f"- {fault}" for fault in report.find_faults()] or ["Nothing: all of it holds."]
    lines = [
        _INTRODUCTION.format(plan=report.plan),
        *_write_table("what", "figure", figures),
        "",
        f"The audit trail: {report.known_break}.",
        "",
        *_write_table("step", "seconds", {k: f"{v:.1f}" for k, v in report.seconds.items()}),
        "",
        *_name(report.absences),
        "### What does not hold",
        "",
        *faults,
    ]
    return "\n".join(lines)


def _write_table(left: str, right: str, rows: Mapping[str, object]) -> Iterator[str]:
    yield f"| {left} | {right} |"
    yield "| --- | --- |"
    for name, value in rows.items():
        yield f"| {name} | {value} |"


def _name(lines: Sequence[Acknowledgement]) -> Iterator[str]:
    if not lines:
        return
    names = ", ".join(f"`{line.message_id}`" for line in lines[:_MOST_NAMES])
    more = len(lines) - _MOST_NAMES
    yield f"Absent: {names}{f', and {more} more' if more > 0 else ''}."
    yield ""
