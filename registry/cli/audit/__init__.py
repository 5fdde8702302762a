"""`registry audit`: verification of the trail, searches in it, exports, and its resumption."""

import hashlib

import click
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.audit.trail import keys
from registry.cli.audit.export import export
from registry.cli.audit.reconstruct import reconstruct
from registry.cli.audit.resume import resume
from registry.cli.audit.verify import verify
from registry.cli.options import QuietGroup
from registry.cli.services import errors_in_one_line, load_audit_settings
from registry.wiring.audit import load_private_key


@click.group(cls=QuietGroup)
def audit() -> None:
    """Verify the audit trail, search it, export it with proof.

    Every call that succeeds leaves an entry, every entry comes under a signed seal, and every seal
    into a bucket of which nothing can be taken back. Numbers of citizens are never shown.
    """


@audit.command("public-key")
def print_public_key() -> None:
    """Print the public key with which auditors verify, and its fingerprints.

    The key goes to standard output, the rest to standard error.
    """
    with errors_in_one_line():
        key = load_private_key(load_audit_settings()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    click.echo(pem.decode(), nl=False)
    click.echo(f"Key id: {keys.compute_key_id(key)}", err=True)
    click.echo(f"SHA-256 of the raw key: {keys.compute_fingerprint(key)}", err=True)
    click.echo(f"SHA-256 of this file: {hashlib.sha256(pem).hexdigest()}", err=True)


for _command in (verify, reconstruct, export, resume):
    audit.add_command(_command)
