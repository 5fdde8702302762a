"""`registry certificate check`."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.cli.certificate.passphrase import (
    FILE,
    ask_for_passphrase,
    from_passphrase_file,
    read_passphrase_file,
)
from registry.cli.options import in_json
from registry.terminal.numbers import EnterpriseNumberType

if TYPE_CHECKING:
    from registry.certificates.file import CertificateFile
    from registry.certificates.subject import FederationEnvironment
    from registry.domain.identifiers import EnterpriseNumber
    from registry.domain.report_lines import ReportLine


@click.command()
@click.argument("file", type=FILE)
@click.option("--key", type=FILE, help="The key, where it is in another file.")
@click.option(
    "--enterprise-number",
    type=EnterpriseNumberType(check_digits=True),
    help="Whose it must be.",
)
@click.option(
    "--environment", type=click.Choice(("ACC", "PRD", "INT")), help="Where it must be for."
)
@from_passphrase_file
@in_json
def check(
    *,
    file: Path,
    key: Path | None,
    enterprise_number: "EnterpriseNumber | None",
    environment: "FederationEnvironment | None",
    passphrase_file: Path | None,
    is_json: bool,
) -> None:
    """Say whether a certificate is fit for the federation, and for how long.

    FILE is PEM or PKCS#12. Told are its days, the order of its chain, who issued it, and whether
    it fits its key, the enterprise, the environment, and what the federation asks of keys. Exit
    code 1 when it does not fit, or cannot be read; a warning, as for less than 30 days, is 0.

    Example: registry certificate check acc.p12 --passphrase-file passphrase.txt --environment ACC
    """
    from registry.certificates.file import CertificateUnreadable
    from registry.certificates.fitness import CertificatePurpose, judge_certificates
    from registry.cli.report_lines import print_lines
    from registry.domain.report_lines import Grade, grade_worst

    number = enterprise_number.digits if enterprise_number else None
    purpose = CertificatePurpose(number=number, environment=environment)
    passphrase = read_passphrase_file(passphrase_file) if passphrase_file else None
    try:
        content = _open(file, passphrase)
        own_key = _open(key, passphrase).key if key else content.key
    except CertificateUnreadable as error:
        raise click.ClickException(str(error)) from None
    lines = list(judge_certificates(content, own_key, purpose, datetime.now(UTC)))
    is_fit = grade_worst(lines) is not Grade.FAIL
    if is_json:
        _print_json(file, lines, is_fit=is_fit)
    else:
        print_lines(lines)
    if not is_fit:
        sys.exit(1)


def _print_json(file: Path, lines: "list[ReportLine]", *, is_fit: bool) -> None:
    from registry.cli.output import print_json
    from registry.cli.report_lines import make_line_members

    members = [make_line_members(each) for each in lines]
    print_json({"file": str(file), "isFit": is_fit, "lines": members})


def _open(path: Path, passphrase: bytes | None) -> "CertificateFile":
    """Open a file; whoever sits at a terminal is asked for a passphrase that is needed."""
    from registry.certificates.file import PassphraseMissing, is_encrypted, read_certificate_file

    if passphrase is not None and not is_encrypted(path.read_bytes()):
        passphrase = None  # it is that of the other file
    try:
        return read_certificate_file(path, passphrase)
    except PassphraseMissing:
        if passphrase is not None or not sys.stdin.isatty():
            raise
    return read_certificate_file(path, ask_for_passphrase(f"Passphrase of {path}"))
