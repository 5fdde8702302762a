"""`registry certificate request`."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.certificate.passphrase import (
    ask_for_passphrase,
    from_passphrase_file,
    read_passphrase_file,
)
from registry.terminal.gathering import gather_options
from registry.terminal.numbers import EnterpriseNumberType

if TYPE_CHECKING:
    from registry.certificates.request import KeyKind
    from registry.certificates.subject import CertificateSubject, FederationEnvironment
    from registry.domain.identifiers import EnterpriseNumber

_NEW_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_OWNER_ALONE: Final = 0o600
_EVERYBODY: Final = 0o644


@dataclass(frozen=True)
class SubjectOptions:
    """The parts of a subject, as options name them."""

    environment: "FederationEnvironment"
    enterprise_number: "EnterpriseNumber"
    organization: str
    application: str
    locality: str
    province: str
    unit: str

    def make_subject(self) -> "CertificateSubject":
        """Make the subject."""
        from registry.certificates.subject import CertificateSubject

        return CertificateSubject(
            organization=self.organization,
            number=self.enterprise_number.digits,
            environment=self.environment,
            application=self.application,
            locality=self.locality,
            province=self.province,
            unit=self.unit,
        )


with_subject: Final = gather_options(
    "subject",
    SubjectOptions,
    click.option(
        "--environment",
        type=click.Choice(("ACC", "PRD", "INT")),
        required=True,
        help="Where it is for: each environment has a certificate of its own.",
    ),
    click.option(
        "--enterprise-number",
        type=EnterpriseNumberType(check_digits=True),
        required=True,
        help="Of the organization, in the Crossroads Bank for Enterprises.",
    ),
    click.option("--organization", metavar="NAME", required=True, help="Its name."),
    click.option("--application", metavar="ID", required=True, help="Id of application or client."),
    click.option("--locality", metavar="TOWN", required=True, help="Where the organization is."),
    click.option("--province", metavar="NAME", required=True, help="Its province or region."),
    click.option(
        "--unit",
        metavar="NAME",
        default="Belgian Federal Government",
        show_default=True,
        help="The first unit of the subject.",
    ),
)


@click.command()
@with_subject
@click.option(
    "--kind",
    type=click.Choice(("rsa-3072", "rsa-2048", "rsa-4096", "ec-p384", "ec-p521")),
    default="rsa-3072",
    show_default=True,
    help="RSA for RS256, EC for ES384 and ES512.",
)
@click.option("--key", "key_path", type=_NEW_FILE, required=True, help="Where the key is written.")
@click.option(
    "--csr", "csr_path", type=_NEW_FILE, required=True, help="Where the request is written."
)
@click.option("--encrypt", is_flag=True, help="Encrypt the key; you are asked for a passphrase.")
@from_passphrase_file
def request(
    *,
    subject: SubjectOptions,
    kind: "KeyKind",
    key_path: Path,
    csr_path: Path,
    encrypt: bool,
    passphrase_file: Path | None,
) -> None:
    """Make a key, and the request with which a certificate is asked for.

    Subject, key and usage are those that the federation asks for; one pair for each environment.
    The key is for its owner alone (mode 0600) and leaves this machine in no mail: the request is
    what you send. No file that is there is written over. With --passphrase-file the key is
    encrypted as with --encrypt.

    Example: registry certificate request --environment ACC --enterprise-number 0206.731.645
    --organization "My Office" --application my:client:id --locality Brussel --province Brussel
    --key acc.key --csr acc.csr
    """
    passphrase = _choose_passphrase(passphrase_file, must_encrypt=encrypt)
    from registry.certificates.request import make_key, write_key, write_request

    key = make_key(kind)
    try:
        csr = write_request(key, subject.make_subject())
    except ValueError as error:  # of the subject, whose parts are no secret
        raise click.UsageError(f"The subject cannot be written: {error}") from None
    _write_both({key_path: (write_key(key, passphrase), _OWNER_ALONE), csr_path: (csr, _EVERYBODY)})
    click.echo(f"Send {csr_path} to whoever issues certificates. {key_path} is for you alone.")


def _choose_passphrase(path: Path | None, *, must_encrypt: bool) -> bytes | None:
    if path is not None:
        return read_passphrase_file(path)
    return ask_for_passphrase("Passphrase for the new key", is_new=True) if must_encrypt else None


def _write_both(contents: dict[Path, tuple[bytes, int]]) -> None:
    """Write files that are not there yet, all of them or none."""
    new_files: list[Path] = []
    try:
        for path, (content, mode) in contents.items():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            new_files.append(path)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
    except BaseException as error:
        for path in new_files:
            with suppress(OSError):
                path.unlink()
        if isinstance(error, FileExistsError):
            reason = f"{error.filename} is there already, and is not written over."
            raise click.ClickException(reason) from None
        if isinstance(error, OSError):
            reason = (error.strerror or "it fails").lower()
            raise click.ClickException(f"{path} cannot be written: {reason}.") from None
        raise
