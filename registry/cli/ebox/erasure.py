"""`registry ebox erase`: all that an e-Box has is deleted, with proofs."""

from typing import TYPE_CHECKING, Final

import click

from registry.cli.operator import named_operator
from registry.cli.options import in_json, with_reason
from registry.cli.output import name_owner, print_json
from registry.cli.services import worker_services
from registry.terminal.numbers import EboxType
from registry.terminal.screen import show_count

if TYPE_CHECKING:
    from registry.domain.identifiers import Ebox
    from registry.settings.part import PartName

_NEEDS: Final[tuple["PartName", ...]] = ("documents", "hash key")
_BATCH: Final = 500  # messages that are deleted in one transaction


@click.command()
@click.option(
    "--ebox", required=True, type=EboxType(check_digits=True), help="The e-Box of this owner."
)
@with_reason("Request or decision; kept with the proofs.")
@click.option("--yes", "is_sure", is_flag=True, help="Do it; else only say what would be done.")
@named_operator
@in_json
def erase(*, ebox: "Ebox", why: str, is_sure: bool, is_json: bool) -> None:
    """Delete all that an e-Box has, but for what is under a hold, with proofs.

    What was learnt of its owner goes too: who may read which partition, and rules. Left are letters
    under a hold, and those of which the federation has yet to be told. Documents go from storage as
    soon as its retention allows. Export the e-Box before: this cannot be undone. Exit code 1 when
    something is left.

    Example: registry ebox erase --ebox citizen:85031212338 --why "Request 2026/117" --yes
    """
    with worker_services(*_NEEDS) as services:
        count = 0
        if is_sure:
            with show_count() as show:
                while batch := services.purge.purge_ebox(ebox, why, _BATCH):
                    count += batch
                    show(count)
            counts = services.purge.forget_ebox(ebox)
            list(services.purge.erase_all())
        else:
            counts = services.purge.count_left(ebox)
    members = {"deleted": count, "onHold": counts.on_hold, "left": counts.waiting}
    if is_json:
        print_json(members)
    elif is_sure:
        click.echo(f"Letters that were deleted from {name_owner(ebox)}: {count}.")
    else:
        click.echo(
            f"Letters of {name_owner(ebox)}: {counts.waiting}, and {counts.on_hold} on hold."
        )
        click.echo("Nothing is deleted without --yes.")
    if is_sure and (counts.on_hold or counts.waiting):
        raise click.ClickException(
            f"Letters that are left: {counts.on_hold} under a hold, {counts.waiting} of which the"
            " federation, or other recipients, are yet to get something."
        )
