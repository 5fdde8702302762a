"""`registry audit resume`: sealing goes on after a backup was restored."""

import click

from registry.cli.operator import find_operator, named_operator
from registry.cli.options import in_json
from registry.cli.output import print_json
from registry.cli.services import audit_resumption
from registry.terminal.text import clean_text


@click.command()
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    help="What happened and who decided; signed, and shown by `verify` for ever.",
)
@named_operator
@in_json
def resume(*, reason: str, is_json: bool) -> None:
    """Have sealing go on from an older database, beside the bucket as it is.

    After a restore the database lacks seals that the bucket has, or counts transactions anew. This
    brings the seals back, not the entries under them that are lost, and adds a signed break that
    says what is missing. `verify` shows it as known from then on. Calls wait meanwhile for seconds.
    Exit code 1 when there is nothing to resume, or when the database is not just older.

    Needs REGISTRY_DATABASE_OWNER_URL and the signing key.

    Example: registry audit resume --reason "Disk lost on 3 May, CHG-117"
    """
    text = clean_text(reason).strip()
    if not text:
        raise click.BadParameter("It is blank.", param_hint="--reason")
    with audit_resumption() as resumption:
        seal = resumption.resume(text, find_operator())
    if seal.known_break is None:
        raise click.ClickException("The seal that was made has no break.")
    if is_json:
        known_break = seal.known_break
        print_json(
            {
                "seal": seal.number,
                "databaseSeal": known_break.database_seal,
                "bucketSeal": known_break.bucket_seal,
                "missing": known_break.missing,
                "operator": known_break.operator,
                "reason": known_break.reason,
            }
        )
        return
    click.echo(f"Seal {seal.number} is the break. {seal.known_break}")
