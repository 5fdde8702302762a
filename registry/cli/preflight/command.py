"""`registry preflight`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from registry.cli.options import in_json

if TYPE_CHECKING:
    from registry.diagnosis.preflight.report import PreflightReport


@click.command()
@click.option(
    "--env",
    "environment",
    type=click.Choice(("ACC", "PRD")),
    help="Where this must be: acceptance or production; else where REGISTRY_ENVIRONMENT says.",
)
@click.option(
    "--backups",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The folder of deploy/database/backup.sh, where it can be seen from here.",
)
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(0.1, 600),
    help="How long all that is looked at has, in each of two stages; else 30.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the report as one page, which needs nothing else.",
)
@in_json
def preflight(
    *,
    environment: str | None,
    backups: Path | None,
    patience: float | None,
    page: Path | None,
    is_json: bool,
) -> None:
    """Look at everything that a registry needs, before it goes live and every week after.

    Settings, keys and certificates; all whom the settings name; each right on the buckets; indexes
    and the plans of hot queries; a letter and a document that are written, read and taken back;
    reference data; headers as the portal sees them; worker, seals, archive and backup. Nobody is
    told or changed anything. Each line is pass, warn or fail, with what was seen and what to do.

    Exit code 1 when a line fails; 0 when there are warnings at most.

    Example: registry preflight --env ACC --html preflight.html
    """
    from registry.cli.progress import show_checks
    from registry.diagnosis.preflight.report import PATIENCE, PreflightWish, report_preflight
    from registry.domain.report_lines import Grade

    wish = PreflightWish(
        environment=environment,
        backups=backups,
        patience=PATIENCE if patience is None else patience,
    )
    with show_checks() as progress:
        report = report_preflight(os.environ, wish, progress)
    if page:
        _write_page(page, report)
    _print_report(report, is_json=is_json)
    if report.grade is Grade.FAIL:
        sys.exit(1)


def _print_report(report: "PreflightReport", *, is_json: bool) -> None:
    from registry.cli.output import print_json
    from registry.cli.report_lines import print_lines

    if is_json:
        print_json(make_report_members(report))
    else:
        print_lines(report.lines)


def make_report_members(report: "PreflightReport") -> dict[str, Any]:
    """Make the members of a report for programs."""
    from registry.cli.report_lines import make_line_members

    return {
        "environment": report.environment,
        "begunAt": report.begun_at,
        "seconds": round(report.seconds, 1),
        "version": report.version,
        "grade": report.grade.value,
        "lines": [make_line_members(line) for line in report.lines],
    }


def _write_page(path: Path, report: "PreflightReport") -> None:
    """Write the page whole, or not at all."""
    from registry.cli.preflight.html_page import write_page

    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(write_page(report), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        reason = (error.strerror or "it fails").lower()
        raise click.ClickException(f"{path} cannot be written: {reason}.") from None
    finally:
        draft.unlink(missing_ok=True)
