"""`registry audit evidence` and `check-evidence`: one letter, proved to whoever asks."""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from registry.cli.audit import output as texts
from registry.cli.operator import named_operator
from registry.cli.options import in_json
from registry.cli.output import print_json, print_table
from registry.cli.public_keys import read_keys, with_keys
from registry.cli.services import audit_services
from registry.terminal.screen import show_spinner
from registry.terminal.whole_files import open_whole

if TYPE_CHECKING:
    from registry.audit.evidence import Evidence
    from registry.audit.trail.evidence_report import EvidenceReport

_LONGEST: Final = 256 * 1024 * 1024  # bytes: no package has as many


@click.command()
@click.option("--message", required=True, type=click.UUID, help="The letter.")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The package to make, a ZIP file; there must be none.",
)
@click.option(
    "--scan",
    "is_scan",
    is_flag=True,
    help="Read every entry, as the index may leave some out: it proves nothing.",
)
@named_operator
def evidence(*, message: UUID, output: Path, is_scan: bool) -> None:
    """Take the evidence of one letter out of the trail, with proofs.

    Submission, delivery and retrieval, in the terms of ETSI EN 319 522.

    The package has each entry of the letter with the proof of its seal, and a page that shows it to
    people and checks it in any browser, without a network. It has no document and no name: people
    stand there by keyed hashes. `registry audit check-evidence` checks it; whoever has a document
    can see that it is the letter's. Taking it out is recorded.

    Exit code 1 when nothing of the letter is under a seal yet, or not as it was sealed.

    Example: registry audit evidence --message 0b6f3f8e-5d3c-4c8e-9f59-0a6c1c7f2a11 --output a.zip
    """
    if output.exists():
        raise click.ClickException(f"{output} is there already.")
    with audit_services() as services, show_spinner("reading the trail"):
        from registry.audit.evidence import NoEvidence
        from registry.audit.export import UnprovableTrail

        try:
            evidence_package = services.investigation.gather_evidence(message, is_scan=is_scan)
        except NoEvidence:
            raise click.ClickException(
                "Nothing of this letter is under a seal: there is none, or it is younger than a"
                " seal."
            ) from None
        except UnprovableTrail as error:
            rows = [texts.make_finding_row(finding) for finding in error.findings]
            print_table(texts.FINDINGS, rows)
            reason = "The letter is not as it was sealed; nothing is made."
            raise click.ClickException(reason) from None
        _write(output, evidence_package.file)
    _summarize(evidence_package)


@click.command("check-evidence")
@click.argument("package", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_keys("A public key to trust, instead of those in the package")
@click.option(
    "--document",
    "documents",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A document that should be the letter's, to the byte; may be repeated.",
)
@in_json
def check_evidence(
    *, package: Path, paths: tuple[Path, ...], documents: tuple[Path, ...], is_json: bool
) -> None:
    """Check a package of evidence without a network, and tell the letter's story.

    Exit code 1 when a single byte of it is not as it was made, when a key is not one of those that
    are trusted, or when a document is not one of the letter's.

    Example: registry audit check-evidence letter.zip --key audit-public.pem --document letter.pdf
    """
    from registry.audit.trail.evidence_report import inspect_evidence

    report = inspect_evidence(_read(package), read_keys(paths) if paths else None)
    strangers = [path for path in documents if not report.has_document(_read(path))]
    if is_json:
        print_json(texts.make_evidence_members(report, strangers))
    else:
        _print(report, has_key=bool(paths))
    if report.findings:
        raise click.ClickException("The evidence does not hold.")
    if strangers:
        names = ", ".join(path.name for path in strangers)
        raise click.ClickException(f"Not a document of this letter: {names}.")


def _write(output: Path, file: bytes) -> None:
    """Write a file that is not there yet; none is left where that fails."""
    try:
        with open_whole(output, is_replacing=False) as stream:
            stream.write(file)
    except FileExistsError:
        raise click.ClickException(f"{output} is there already.") from None
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}.") from None


def _summarize(evidence_package: "Evidence") -> None:
    print_table(texts.STORY, [texts.make_story_row(line) for line in evidence_package.report.story])
    click.echo(f"Entries with proof: {evidence_package.entries}.")
    texts.warn_of_hidden(evidence_package.hidden_entries)
    if evidence_package.report.signer is None:
        warning = "No REGISTRY_AUDIT_KEY_PATH is set: nobody signed the package as a whole."
        click.echo(warning, err=True)
    if evidence_package.waiting_entries:
        warning = "Entries of the letter that are not yet under a seal, so not there"
        click.echo(f"{warning}: {evidence_package.waiting_entries}.", err=True)


def _print(report: "EvidenceReport", *, has_key: bool) -> None:
    if report.findings:
        print_table(texts.FINDINGS, [texts.make_finding_row(each) for each in report.findings])
        return
    from registry.audit.trail.keys import compute_fingerprint

    click.echo(f"Letter: {report.message_id}")
    print_table(texts.STORY, [texts.make_story_row(line) for line in report.story])
    for key_id, key in report.keys.items():
        click.echo(f"Key: {key_id}, SHA-256 of the raw key {compute_fingerprint(key)}")
    if report.signer is None:
        click.echo("Nobody signed the package as a whole: entries may be left out of it.", err=True)
    if not has_key:
        warning = (
            "No --key was given: this shows that the package agrees with itself, not who made it."
        )
        click.echo(warning, err=True)
    click.echo("All is as it was sealed and signed.")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LONGEST:
            raise click.ClickException(f"{path} is larger than any package or document.")
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}.") from None
