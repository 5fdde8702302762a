"""`registry refdata check` and `edit-example`, which need no database."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from registry.cli.options import in_json
from registry.cli.output import print_json
from registry.cli.services import load_settings
from registry.terminal.whole_files import open_whole

if TYPE_CHECKING:
    from registry.domain.reference_set import ReferenceSet

_ROOM: Final = "registry.cli.refdata"
_WRONG: Final = 2  # exit code, as for settings that are wrong

reference_file = click.argument(
    "path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.command()
@reference_file
@in_json
def check(*, path: Path, is_json: bool) -> None:
    """Say everything that is wrong with FILE and the logos beside it.

    Each fault comes with its line and the member that it is in; exit code 2 if there is one. No
    database is needed. Check digits of enterprise numbers must fit unless REGISTRY_ENVIRONMENT
    names one without real mail, or REGISTRY_CHECK_DIGITS=false.

    Example: registry refdata check reference.yaml
    """
    reference_set = read_file(path, is_json=is_json)
    counts = {
        "organizations": len(reference_set.organizations),
        "applications": len(reference_set.applications),
        "messageTypes": len(reference_set.message_types),
        "templates": len(reference_set.templates),
        "sendings": len(reference_set.sendings),
    }
    if is_json:
        print_json({"isSound": True, "faults": [], **counts})
        return
    numbers = ", ".join(f"{name}: {count}" for name, count in counts.items())
    click.echo(f"{path} is sound. {numbers}.")


@click.command("edit-example")
@click.argument(
    "path", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path)
)
def edit_example(*, path: Path | None) -> None:
    """Write a file to start from, with comments, to FILE.

    Without FILE it goes to standard output. A file that is there is not replaced.

    Example: registry refdata edit-example reference.yaml
    """
    text = (files(_ROOM) / "example.yaml").read_text(encoding="utf-8")
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        with open_whole(path, is_replacing=False) as file:
            file.write(text.encode())
    except FileExistsError:
        raise click.UsageError(f"{path} is there already, and is not replaced.") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(f"{path} is written. Edit it, then: registry refdata check {path}")


def read_file(path: Path, *, is_json: bool) -> "ReferenceSet":
    """Read the file that was named; all that is wrong is said, and ends the program with 2."""
    from registry.cli.refdata.reader import FaultyReferenceFile, read_reference_file

    settings = load_settings("reference file")
    try:
        return read_reference_file(path, check_digits=settings.checks_digits)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except FaultyReferenceFile as error:
        faults = error.faults
    if is_json:
        members = [
            {"line": each.line, "member": each.member, "fault": each.text} for each in faults
        ]
        print_json({"isSound": False, "faults": members})
    else:
        for fault in faults:
            click.echo(f"{path}:{fault.line}: {fault}", err=True)
    sys.exit(_WRONG)
