"""`registry audit export`: a part of the trail that proves itself to auditors."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.cli.audit import output as texts
from registry.cli.audit.options import Months
from registry.cli.operator import named_operator
from registry.cli.output import print_table
from registry.cli.services import audit_services
from registry.terminal.screen import show_spinner
from registry.terminal.whole_files import open_whole

if TYPE_CHECKING:
    from registry.audit.export import ExportSummary


@click.command()
@click.option("--period", required=True, type=Months(), help="Months of Belgium, all included.")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to make; there must be none.",
)
@named_operator
def export(*, period: tuple[datetime, datetime], output: Path) -> None:
    """Write the entries of months to a signed file, each with the proof that it was sealed.

    Whoever has the public key verifies it without this registry: python -m registry.audit verify
    FILE --key PUBLIC.pem. Here it is verified too. The export itself is recorded. Exit code 1 when
    the trail is not what was sealed; then there is no file. Where REGISTRY_AUDIT_KEY_PATH is set
    the export is signed as a whole too; without it public keys are enough.

    Example: registry audit export --period 2026-01..2026-03 --output trail.jsonl
    """
    try:
        summary = _write(*period, output)
    except FileExistsError:
        raise click.ClickException(f"{output} is there already.") from None
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}.") from None
    click.echo(f"Entries exported and verified: {summary.entries}.")
    whole, partial = summary.whole_seals, summary.partial_seals
    click.echo(f"Seals: {whole} with all their entries, {partial} with a part.")
    if summary.unsealed_entries:
        warning = "Entries of the period that are not yet under a seal, so not there"
        click.echo(f"{warning}: {summary.unsealed_entries}.", err=True)


def _write(begin: datetime, end: datetime, output: Path) -> "ExportSummary":
    """Write the file, which is there when it is whole: a part of it looks like an export."""
    with audit_services() as services, show_spinner("reading the trail"):
        from registry.audit.export import UnprovableTrail

        try:
            # Never over a file of somebody else's.
            with open_whole(output, is_replacing=False) as file:
                return services.investigation.export(begin, end, file)
        except UnprovableTrail as error:
            findings = error.findings
    print_table(texts.FINDINGS, [texts.make_finding_row(finding) for finding in findings])
    raise click.ClickException("The trail is not what was sealed; nothing is exported.")
