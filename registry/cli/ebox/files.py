"""`registry ebox export`, `check` and `import`: an e-Box as one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.operator import named_operator
from registry.cli.options import in_json
from registry.cli.output import make_owner_members, name_owner, print_json
from registry.cli.public_keys import read_keys, with_keys
from registry.cli.services import worker_services
from registry.terminal.numbers import EboxType
from registry.terminal.screen import show_count
from registry.terminal.whole_files import open_whole

if TYPE_CHECKING:
    from registry.audit.trail.keys import Keys
    from registry.domain.identifiers import Ebox
    from registry.services.documents.ebox_archive import ArchiveManifest
    from registry.settings.part import PartName
    from registry.terminal.options import Command, Option

_NEEDS: Final[tuple["PartName", ...]] = ("documents", "hash key", "trail")
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def with_trust(nobody: str, purpose: str) -> "Option":
    """Give a command `paths`, keys to trust, and `is_anybody`, to trust whoever it is."""

    def decorate(command: "Command") -> "Command":
        anybody = click.option(nobody, "is_anybody", is_flag=True, help=purpose)(command)
        return with_keys("A public key whose signature is trusted")(anybody)

    return decorate


@click.command()
@click.option(
    "--ebox", required=True, type=EboxType(check_digits=True), help="The e-Box of this owner."
)
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to make, a ZIP file; there must be none.",
)
@named_operator
@in_json
def export(*, ebox: "Ebox", output: Path, is_json: bool) -> None:
    """Write all that an e-Box has to one file, read or hidden, with its documents.

    The file has personal data in clear: keep it as such. Each document is held against its digest
    as it is written, and a manifest stands for every byte; it is signed where
    REGISTRY_AUDIT_KEY_PATH is set. No file is left when a document is missing, or on Ctrl-C.

    Example: registry ebox export --ebox enterprise:0999910048 --output ebox.zip
    """
    if output.exists():
        raise click.ClickException(f"{output} is there already.")
    with worker_services(*_NEEDS) as services, show_count() as show:
        try:
            with open_whole(output, is_replacing=False, mode=0o600) as file:
                manifest = services.ebox_transfer.export(ebox, file, show)
        except OSError as error:
            raise click.ClickException(f"{output}: {error.strerror}.") from None
    _print(manifest, is_json=is_json)


@click.command()
@click.argument("file", type=_FILE)
@with_trust("--from-anybody", "Do not ask who made the file.")
@in_json
def check(*, file: Path, paths: tuple[Path, ...], is_anybody: bool, is_json: bool) -> None:
    """Check every byte of the file of an e-Box, without a registry.

    Exit code 1 when a byte of it is not as it was written, or when no trusted key signed it.

    Example: registry ebox check ebox.zip --key audit-public.pem
    """
    from registry.services.documents.ebox_archive import ArchiveReader, ArchiveUnusable

    keyring = _choose_keys(paths, is_anybody=is_anybody)
    try:
        with show_count() as show, ArchiveReader(file) as archive:
            manifest = archive.check(keyring, show)
    except ArchiveUnusable as error:
        raise click.ClickException(str(error)) from None
    _print(manifest, is_json=is_json)


@click.command("import")
@click.argument("file", type=_FILE)
@with_trust("--from-anybody", "Import a file whoever made it.")
@named_operator
@in_json
def import_(*, file: Path, paths: tuple[Path, ...], is_anybody: bool, is_json: bool) -> None:
    """Put the letters of a file into the e-Box that it is of, as they were.

    Ids, times, read marks and documents stay what they are; letters that are there already are
    left alone, so that an import that broke off goes on when it is typed again. The federation is
    told nothing. Types, senders, applications and templates must be among the reference data.

    Example: registry ebox import ebox.zip --key other-registry.pem
    """
    with worker_services(*_NEEDS) as services, show_count() as show:
        # Settings come first: who forgot one is told at once.
        from registry.services.documents.ebox_archive import ArchiveUnusable

        keyring = _choose_keys(paths, is_anybody=is_anybody)
        try:
            count = services.ebox_transfer.load(file, keyring, show)
        except ArchiveUnusable as error:
            raise click.ClickException(str(error)) from None
    if is_json:
        print_json({"letters": count.letters, "present": count.present})
        return
    click.echo(f"Letters that were put in: {count.letters}; there already: {count.present}.")


def _choose_keys(paths: tuple[Path, ...], *, is_anybody: bool) -> "Keys | None":
    """Read the keys to trust; None trusts anybody, which has to be said."""
    if bool(paths) == is_anybody:
        raise click.UsageError("Give --key, once or more, or --from-anybody.")
    if is_anybody:
        return None
    return read_keys(paths)


def _print(manifest: "ArchiveManifest", *, is_json: bool) -> None:
    if is_json:
        members = {
            **make_owner_members(manifest.ebox),
            "madeAt": manifest.made_at,
            "letters": manifest.letters,
            "documents": manifest.documents,
            "bytes": manifest.size,
            "signedBy": manifest.signer,
        }
        print_json(members)
        return
    click.echo(f"E-Box: {name_owner(manifest.ebox)}, as it was at {manifest.made_at}.")
    numbers = (
        f"Letters: {manifest.letters}; documents: {manifest.documents}, {manifest.size} bytes."
    )
    click.echo(numbers)
    if manifest.signer is None:
        click.echo("Nobody signed it: there was no key for seals.", err=True)
