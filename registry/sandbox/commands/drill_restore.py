"""`registry drill restore`: lose the database of a sandbox under load, and bring it back."""

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from registry.sandbox.drill.restore_report import RestorePlan, RestoreReport
    from registry.sandbox.layout import Layout

_SECTION: Final = "A restore"


@click.command()
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the sandbox lives, to look at afterwards; begins with fresh data. Else a temporary "
    "folder, which goes away.",
)
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    help="Where the registry listens, on loopback; a free one when 0.",
)
@click.option(
    "--senders",
    default=4,
    show_default=True,
    type=click.IntRange(1, 20),
    help="How many publish, each three times a second at most.",
)
@click.option(
    "--publish-for",
    "publishing",
    metavar="SECONDS",
    default=20,
    show_default=True,
    type=click.IntRange(1, 3600),
    help="For how long, after the backup and before the loss.",
)
@click.option(
    "--archive-every",
    metavar="SECONDS",
    default=5,
    show_default=True,
    type=click.IntRange(3, 3600),
    help="PostgreSQL's archive_timeout: about as much can be lost.",
)
@click.option(
    "--rewind",
    metavar="SECONDS",
    default=0,
    show_default=True,
    type=click.IntRange(0, 3600),
    help="Restore to so long before the loss, as after somebody's mistake; 0: all that there is.",
)
@click.option("--json", "is_json", is_flag=True, help="Tell a program, in JSON.")
@click.option(
    "--report",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f'Write the result into the section "{_SECTION}" of this Markdown page too.',
)
def restore(
    *, directory: Path | None, port: int, is_json: bool, page: Path | None, **wishes: int
) -> None:
    """Lose the database of a sandbox under load, restore it, and tell what is lost.

    Starts a sandbox, publishes, makes a base backup and archives WAL meanwhile, kills PostgreSQL
    and deletes its folder, restores it beside the bucket as it is, and does all that the runbook
    says (deploy/runbooks/backup.md): migrate, fsck, fsck --adopt, audit resume, audit verify, the
    main journeys, the sweep. Prints RPO and RTO, and by message id each acknowledged publication
    that the restored database has not got, with what became of it.

    Exit code 0 when each is there in the end, 1 when one is lost or anything else is wrong.

    Example: registry drill restore --publish-for 60 --archive-every 10
    """
    from registry.sandbox.drill import restore_report
    from registry.sandbox.drill.report_page import ReportPage
    from registry.sandbox.drill.restore_report import RestorePlan
    from registry.sandbox.layout import Layout
    from registry.sandbox.servers.processes import Interrupted, free_port

    plan = RestorePlan(**wishes)
    if plan.rewind >= plan.publishing:
        raise click.UsageError("--rewind must be shorter than --publish-for: before is no backup.")
    try:
        if page is not None:
            ReportPage(page).require_section(_SECTION)
        with _choose_folder(directory) as folder:
            report = _run(Layout.at(folder), port or free_port(), plan)
        if page is not None:
            text = restore_report.write_section(report)
            ReportPage(page).replace_section(_SECTION, text, command="make drill")
    except _list_failures() as error:
        raise click.ClickException(str(error)) from None
    except Interrupted:
        click.echo("Stopped.", err=True)
        sys.exit(128 + signal.SIGINT)
    _show(report, is_json=is_json)
    faults = list(report.find_faults())
    if faults:
        raise click.ClickException("\n".join(faults))


def _list_failures() -> tuple[type[Exception], ...]:
    """List what is said in one sentence."""
    from registry.sandbox.demo.tour import DemoFailed
    from registry.sandbox.drill.archived_cluster import ArchiveFailed
    from registry.sandbox.drill.report_page import NoSection
    from registry.sandbox.ownership import Occupied
    from registry.sandbox.servers.binaries import PostgresMissing
    from registry.sandbox.servers.processes import StartFailed
    from registry.sandbox.tokens import TokenRefused

    return (
        ArchiveFailed,
        DemoFailed,
        NoSection,
        Occupied,
        PostgresMissing,
        StartFailed,
        TokenRefused,
    )


@contextmanager
def _choose_folder(directory: Path | None) -> Iterator[Path]:
    """Give the folder of the sandbox: this one, or one that PostgreSQL's user can reach."""
    if directory is not None:
        yield directory
        return
    from registry.sandbox.servers.processes import sweep, unsweep

    folder = Path(tempfile.mkdtemp(prefix="registry-drill-"))
    sweep(folder)  # also when we are killed
    try:
        folder.chmod(0o755)
        yield folder / "sandbox"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        unsweep(folder)


def _run(layout: "Layout", port: int, plan: "RestorePlan") -> "RestoreReport":
    from registry.sandbox.drill.restore_drill import RestoreDrill

    # On standard error, so that standard output is the result and nothing else.
    return RestoreDrill(layout, port, plan, lambda line: click.echo(line, err=True)).run()


def _show(report: "RestoreReport", *, is_json: bool) -> None:
    from registry.sandbox.drill import restore_report

    if is_json:
        click.echo(json.dumps(restore_report.make_members(report), indent=2))
        return
    for line in restore_report.write_lines(report):
        click.echo(line)
