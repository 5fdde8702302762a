"""A drill's result: RPO, RTO, the losses by name, and what did not hold."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.sandbox.drill.ledger import Acknowledgement


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

    `losses` are what was acknowledged and is not in the database. `strays` are the messages of
    which `registry fsck` calls documents stray, `findings` all else that it finds. `orphans` are
    acknowledged messages whose document is not in storage at the end. `target` is where recovery
    was to end, None for the archive's end, `recovery_point` its last transaction.
    """

    plan: RestorePlan
    acknowledgements: int
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
        """Seconds before the loss from which on acknowledged publications are gone."""
        if not self.losses:
            return 0.0
        return max((self.loss_at - self.losses[0].at).total_seconds(), 0.0)

    @property
    def rto(self) -> float:
        """Seconds from the loss to the first publication that was acknowledged again."""
        return (self.first_answer_at - self.loss_at).total_seconds()

    @property
    def stray_losses(self) -> int:
        """Count the losses of which `registry fsck` has shown a document."""
        return sum(line.message_id in self.strays for line in self.losses)

    def find_faults(self) -> Iterator[str]:
        """Find what did not hold, a sentence each; a loss that is named is no fault."""
        ends = [each for each in (self.target, self.recovery_point) if each is not None]
        for line in self.losses:
            if line.message_id not in self.strays:
                yield f"registry fsck shows no document of lost message {line.message_id}."
            # A publication is committed before it is acknowledged.
            if not ends or line.at <= max(ends):
                yield f"Message {line.message_id} is lost, though the archive had it."
        for finding in self.findings:
            yield f"registry fsck finds more than strays: {finding}."
        for message_id in self.orphans:
            yield f"The document of acknowledged message {message_id} was deleted."


def write_lines(report: RestoreReport) -> Iterator[str]:
    """Write the result for people."""
    yield f"RPO {report.rpo:.1f} s: what was acknowledged in that time before the loss is gone."
    yield f"RTO {report.rto:.1f} s: from the loss to the first publication that was acknowledged."
    yield f"Restored up to {report.recovery_point}; lost at {report.loss_at}."
    yield f"Lost: {len(report.losses)} of {report.acknowledgements} acknowledged publications."
    for line in report.losses:
        before = (report.loss_at - line.at).total_seconds()
        yield f"  {line.message_id}, acknowledged {before:.1f} s before the loss"
    yield (
        f"Documents of lost publications that registry fsck shows as strays: {report.stray_losses};"
        " the sweep deleted none of them."
        if not report.orphans
        else f"Documents that are gone: {len(report.orphans)}."
    )
    yield f"The audit trail: {report.known_break}."


def make_members(report: RestoreReport) -> dict[str, Any]:
    """Make JSON of the result, for programs."""
    point = report.recovery_point
    return {
        "rpoSeconds": round(report.rpo, 3),
        "rtoSeconds": round(report.rto, 3),
        "lostAt": report.loss_at.isoformat(),
        "restoredUpTo": None if point is None else point.isoformat(),
        "acknowledged": report.acknowledgements,
        "lost": [
            {
                "messageId": line.message_id,
                "acknowledgedAt": line.at.isoformat(),
                "isStray": line.message_id in report.strays,
            }
            for line in report.losses
        ],
        "knownBreak": report.known_break,
        "stepSeconds": {name: round(seconds, 3) for name, seconds in report.seconds.items()},
        "faults": list(report.find_faults()),
    }


def write_section(report: RestoreReport) -> str:
    """Write the result as Markdown, for a section of a page."""
    plan = report.plan
    lines = [
        f"{plan.senders} senders publish, each with an outside ledger of what was acknowledged.",
        "PostgreSQL is backed up under that load (`pg_basebackup`), and archives its WAL every",
        f"{plan.archive_every} seconds at the latest. Then its processes are killed and its folder",
        "deleted, and it is restored beside the bucket as it is.",
        "",
        "| what | figure |",
        "| --- | --- |",
        f"| RPO: from the first acknowledged publication that is gone | {report.rpo:.1f} s |",
        f"| RTO: from the loss to the first publication acknowledged again | {report.rto:.1f} s |",
        f"| lost, of {report.acknowledgements} acknowledged publications | {len(report.losses)} |",
        f"| of them, documents that `registry fsck` shows as strays | {report.stray_losses} |",
        f"| documents that the sweep deleted of them | {len(report.orphans)} |",
        "",
        f"The audit trail: {report.known_break}.",
        "",
        "| step | seconds |",
        "| --- | --- |",
        *(f"| {name} | {seconds:.1f} |" for name, seconds in report.seconds.items()),
    ]
    if report.losses:
        names = ", ".join(f"`{line.message_id}`" for line in report.losses[:_NAMED])
        more = len(report.losses) - _NAMED
        lines += ["", f"Lost: {names}{f', and {more} more' if more > 0 else ''}."]
    faults = [f"- {fault}" for fault in report.find_faults()] or ["Nothing: all of it holds."]
    return "\n".join([*lines, "", "### What does not hold", "", *faults])


_NAMED = 5  # losses that the page names; the command names all
