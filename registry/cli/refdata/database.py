"""`registry refdata import`, `diff` and `export`, as the owner of the tables."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.operator import find_operator, named_operator
from registry.cli.options import in_json
from registry.cli.output import print_json
from registry.cli.refdata.files import read_file, reference_file
from registry.cli.refdata.output import make_plan_json, print_changes, print_uses
from registry.cli.services import database_errors_in_one_line, load_settings

if TYPE_CHECKING:
    from registry.domain.reference_set import ReferenceSet
    from registry.services.reference_import import ImportPlan, ReferenceImport

_REFUSED: Final = 1  # exit code


@click.command("import")
@reference_file
@click.option("--dry-run", "is_rehearsal", is_flag=True, help="Show what would change, no more.")
@named_operator
@in_json
def import_(*, path: Path, is_rehearsal: bool, is_json: bool) -> None:
    """Make the registry have the reference data of FILE, and no others.

    What FILE does not have is removed, unless messages refer to it: then nothing is changed, and
    it is said what they refer to. All happens in one transaction, and goes into the audit trail. A
    second import changes nothing. The running service has the new data at once; those who read
    them may keep what they have for a day.

    Needs REGISTRY_DATABASE_OWNER_URL. Exit code 1 when it is refused, 2 when FILE is wrong.

    Example: registry refdata import reference.yaml --as "An Peeters"
    """
    plan = _replace(read_file(path, is_json=is_json), is_rehearsal=is_rehearsal)
    _show(plan, path, is_rehearsal=is_rehearsal, is_json=is_json)


@click.command()
@reference_file
@in_json
def diff(*, path: Path, is_json: bool) -> None:
    """Show what an import of FILE would change, and change nothing.

    Needs REGISTRY_DATABASE_OWNER_URL. Exit code 1 when the import would be refused, since messages
    refer to what FILE does not have; 2 when FILE is wrong.

    Example: registry refdata diff reference.yaml
    """
    plan = _replace(read_file(path, is_json=is_json), is_rehearsal=True)
    _show(plan, path, is_rehearsal=True, is_json=is_json)


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", "is_forced", is_flag=True, help="Replace FILE, and logos of these names.")
def export(*, path: Path, is_forced: bool) -> None:
    """Write the reference data that the registry has to FILE, and logos beside it.

    The same data give the same file, which an import takes without any change. Needs
    REGISTRY_DATABASE_OWNER_URL.

    Example: registry refdata export reference.yaml
    """
    if path.exists() and not is_forced:
        raise click.UsageError(f"{path} is there already; --force replaces it.")
    if not path.absolute().parent.is_dir():
        raise click.UsageError(f"There is no folder {path.parent}.")
    with _reference_import() as reference_import:
        reference_set = reference_import.read()
    from registry.cli.refdata.writer import write_reference_files

    try:
        write_reference_files(reference_set, path)
    except OSError as error:
        raise click.UsageError(f"{error.filename} cannot be written: {error.strerror}.") from None
    click.echo(f"{path} is written.")


@contextmanager
def _reference_import() -> Iterator["ReferenceImport"]:
    """Give the import; errors come in one line."""
    settings = load_settings("owner database")
    from registry.wiring.reference import open_reference_import

    with (
        database_errors_in_one_line("Nothing was changed: "),
        open_reference_import(settings, find_operator()) as reference_import,
    ):
        yield reference_import


def _replace(reference_set: "ReferenceSet", *, is_rehearsal: bool) -> "ImportPlan":
    with _reference_import() as reference_import:
        return reference_import.replace(reference_set, is_rehearsal=is_rehearsal)


def _show(plan: "ImportPlan", path: Path, *, is_rehearsal: bool, is_json: bool) -> None:
    """Show what changes, or did, and what stands in the way of it."""
    is_done = bool(plan.changes) and not plan.uses and not is_rehearsal
    if is_json:
        print_json(make_plan_json(plan, is_done=is_done))
    else:
        print_changes(plan.changes)
        if not plan.changes:
            click.echo(f"The registry has the reference data of {path} already.")
        elif is_done:
            click.echo(f"\nThe registry has the reference data of {path} now.")
        elif not plan.uses:
            click.echo("\nNothing was changed.")
    if plan.uses:
        if not is_json:
            print_uses(plan.uses)
        sys.exit(_REFUSED)
