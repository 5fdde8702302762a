"""`registry audit`: verification of the trail, searches in it, and exports for auditors."""

import hashlib

import click
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.audit.trail import keys
from registry.audit.verification import TrailPeriod
from registry.cli.audit import output as texts
from registry.cli.audit.export import export
from registry.cli.audit.options import with_period
from registry.cli.audit.output import show_progress
from registry.cli.audit.reconstruct import reconstruct
from registry.cli.options import QuietGroup, in_json
from registry.cli.output import print_json, print_table
from registry.cli.services import worker_services


@click.group(cls=QuietGroup)
def audit() -> None:
    """Verify the audit trail, search it, export it with proof.

    Every call that succeeds leaves an entry, every entry comes under a signed seal, and every seal
    into a bucket of which nothing can be taken back. Numbers of citizens are never shown.
    """


@audit.command()
@with_period(
    "Compare only the entries of seals that may have some from this day on; the chain of seals "
    "is always followed whole.",
    "The last day, likewise.",
)
@in_json
def verify(*, period: TrailPeriod, is_json: bool) -> None:
    """Compare every entry with its seal, and the seals with those in the bucket.

    Exit code 1 when anything was changed, deleted, put in, moved, cut off or put back, or when a
    seal is not what was signed; each finding is located by the numbers of seal and entries.
    """
    with worker_services() as services, show_progress() as report_progress:
        verification, faults = services.investigation.verify(period, report_progress)
        findings = list(faults)  # all of them: the figures are complete only after the last
    if is_json:
        print_json(texts.make_verdict(verification.figures, findings))
    else:
        if findings:
            print_table(texts.FINDINGS, [texts.make_finding_row(finding) for finding in findings])
            click.echo()
        for line in texts.write_figures(verification.figures):
            click.echo(line)
    if findings:
        raise click.ClickException(f"The trail is not what was sealed: {len(findings)} findings.")
    if not is_json:
        click.echo("All is as it was sealed and signed.")


@audit.command("public-key")
def print_public_key() -> None:
    """Print the public key with which auditors verify, and its fingerprints.

    The key goes to standard output, the rest to standard error.
    """
    with worker_services() as services:
        key = services.investigation.public_key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    click.echo(pem.decode(), nl=False)
    click.echo(f"Key id: {keys.compute_key_id(key)}", err=True)
    click.echo(f"SHA-256 of the raw key: {keys.compute_fingerprint(key)}", err=True)
    click.echo(f"SHA-256 of this file: {hashlib.sha256(pem).hexdigest()}", err=True)


audit.add_command(reconstruct)
audit.add_command(export)
