"""`registry audit verify`: is the trail what was sealed?"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.audit import output as texts
from registry.cli.audit.options import with_period
from registry.cli.options import in_json
from registry.cli.output import print_json, print_table
from registry.cli.services import audit_services, open_trail

if TYPE_CHECKING:
    from registry.audit.checkpoint import Checkpoint
    from registry.audit.period import TrailPeriod
    from registry.audit.trail.verify import Finding
    from registry.audit.verification import ReportProgress, Verification

_BETWEEN: Final = 5_000  # seals from one checkpoint that is saved to the next


@click.command()
@with_period(
    "Compare only the entries of seals that may have some from this day on; the chain of seals "
    "is always followed whole.",
    "The last day, likewise.",
)
@click.option(
    "--checkpoint",
    "path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep here how far the bucket was read, and do not read it again up to there. Made when "
    "there is none; keep it where those who run the registry cannot write.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, 64),
    help="Processes that look at seals side by side, where there are a thousand or more; else as"
    " many as there are processors.",
)
@in_json
def verify(*, period: "TrailPeriod", path: Path | None, jobs: int | None, is_json: bool) -> None:
    """Compare every entry with its seal, and the seals with those in the bucket.

    Exit code 1 when anything was changed, deleted, put in, moved, cut off or put back, or when a
    seal is not what was signed; each finding is located by the numbers of seal and entries. A break
    that operators signed (`registry audit resume`) is shown, and is no fault.

    Needs no key but public ones: REGISTRY_AUDIT_PUBLIC_KEYS, the bucket, and the database.

    Example: registry audit verify --checkpoint /var/lib/audit/checkpoint.json
    """
    verification, findings = _find_all(period, path, jobs)
    faults = [finding for finding in findings if not finding.is_known]
    breaks = [finding for finding in findings if finding.is_known]
    if is_json:
        print_json(texts.make_verdict(verification.figures, faults, breaks))
    else:
        if findings:
            print_table(texts.FINDINGS, [texts.make_finding_row(finding) for finding in findings])
            click.echo()
        for line in texts.write_figures(verification.figures):
            click.echo(line)
    if faults:
        raise click.ClickException(f"The trail is not what was sealed: {len(faults)} findings.")
    if not is_json:
        exception = f", but for {len(breaks)} known break(s)" if breaks else ""
        click.echo(f"All is as it was sealed and signed{exception}.")


def _find_all(
    period: "TrailPeriod", path: Path | None, jobs: int | None
) -> tuple["Verification", list["Finding"]]:
    """Find all faults; the figures are complete only after the last."""
    with audit_services() as services, texts.show_progress() as report_progress:
        from registry.audit.inspection_pool import InspectionPool, count_processors

        checkpoint = _load(path) if path else None
        pool = InspectionPool(open_trail, jobs or count_processors())
        saver = _Saver(path, report_progress)
        verification, faults = services.investigation.verify(period, saver, checkpoint, pool)
        saver.verification = verification
        try:
            return verification, list(faults)
        finally:
            saver.save()  # also on Ctrl-C: the next one goes on from there


class _Saver:
    """Reports progress, and saves the checkpoint now and then."""

    def __init__(self, path: Path | None, report_progress: "ReportProgress") -> None:
        self.verification: Verification | None = None
        self._path, self._report_progress = path, report_progress

    def __call__(self, count: int, total: int) -> None:
        """Tell how many seals are done, and how many there are."""
        self._report_progress(count, total)
        if count % _BETWEEN == 0:
            self.save()

    def save(self) -> None:
        """Save how far the verification is."""
        if self._path and self.verification and self.verification.checkpoint:
            try:
                self.verification.checkpoint.save(self._path)
            except OSError as error:
                raise click.ClickException(f"{self._path}: {error.strerror}.") from None


def _load(path: Path) -> "Checkpoint | None":
    from registry.audit.checkpoint import Checkpoint
    from registry.audit.trail.untrusted_json import DamagedText

    try:
        return Checkpoint.load(path)
    except DamagedText as error:
        raise click.ClickException(f"{path}: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}.") from None
