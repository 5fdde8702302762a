"""`registry audit export`: a part of the trail that proves itself to auditors."""

from datetime import datetime
from pathlib import Path

import click

from registry.audit.export import Exported, Unprovable
from registry.cli.audit import output as texts
from registry.cli.audit.options import Months
from registry.cli.output import tabulate
from registry.cli.services import worker_services


@click.command()
@click.option("--period", required=True, type=Months(), help="Months of Belgium, all included.")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to make; there must be none.",
)
def export(*, period: tuple[datetime, datetime], output: Path) -> None:
    """Write the entries of some months to a signed file, each with the proof that it was sealed.

    Whoever has the public key verifies it without this registry: python -m registry.audit.trail
    verify FILE --key PUBLIC.pem. Here it is verified too. That you export is recorded. Exit code 1
    when the trail is not what was sealed; then there is no file.
    """
    try:
        done = _written(*period, output)
    except FileExistsError:
        raise click.ClickException(f"{output} is there already.") from None
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}.") from None
    except Unprovable as error:
        tabulate(texts.FINDINGS, [texts.finding(each) for each in error.findings])
        raise click.ClickException(
            "The trail is not what was sealed; nothing is exported."
        ) from None
    click.echo(f"Entries exported and verified: {done.entries}.")
    click.echo(f"Seals: {done.whole} with all their entries, {done.parts} with a part.")
    if done.unsealed:
        said = (
            f"Entries of the period that are not yet under a seal, so not there: {done.unsealed}."
        )
        click.echo(said, err=True)


def _written(begin: datetime, end: datetime, output: Path) -> Exported:
    """Nothing is left where it fails."""
    with worker_services() as services:
        file = output.open("x+b")
        try:
            with file:
                return services.investigation.export(begin, end, file)
        except BaseException:
            output.unlink()
            raise
