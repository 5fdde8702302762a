"""`registry audit public-key`: the key with which auditors verify."""

import hashlib

import click

from registry.cli.services import errors_in_one_line, load_settings


@click.command("public-key")
def print_public_key() -> None:
    """Print the public key with which auditors verify, and its fingerprints.

    The key goes to standard output, the rest to standard error.

    Example: registry audit public-key > public.pem
    """
    settings = load_settings("seal key")
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from registry.audit.trail import keys
    from registry.wiring.trail_keys import load_private_key

    with errors_in_one_line():
        key = load_private_key(settings).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    click.echo(pem.decode(), nl=False)
    click.echo(f"Key id: {keys.compute_key_id(key)}", err=True)
    click.echo(f"SHA-256 of the raw key: {keys.compute_fingerprint(key)}", err=True)
    click.echo(f"SHA-256 of this file: {hashlib.sha256(pem).hexdigest()}", err=True)
