"""`registry audit reconstruct`: the entries about a message, a token or an e-Box."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.audit.period import TrailPeriod
from registry.cli.audit import output as texts
from registry.cli.audit.options import TokenHash, with_period
from registry.cli.operator import named_operator
from registry.cli.options import in_json
from registry.cli.output import print_json, print_table
from registry.cli.services import audit_services, load_settings
from registry.terminal.numbers import EboxType

if TYPE_CHECKING:
    from registry.domain.identifiers import Ebox


@click.command()
@click.option("--message", type=click.UUID, help="Entries that name this message.")
@click.option("--token-hash", type=TokenHash(), help="Calls with this token: its SHA-256.")
@click.option(
    "--ebox", type=EboxType(check_digits=True, may_omit_kind=True), help="Operations in this e-Box."
)
@with_period("The first day; as the database dates entries.", "The last day.")
@named_operator
@in_json
def reconstruct(
    *,
    message: UUID | None,
    token_hash: str | None,
    ebox: "Ebox | None",
    period: "TrailPeriod",
    is_json: bool,
) -> None:
    """List what happened to a message, with a token or in an e-Box, in the order of time.

    E-Boxes are found by the keyed hashes that stand for them, also under former keys. Each entry
    says under which seal it lies. The search itself is recorded. Exit code 1 when there is nothing.

    Example: registry audit reconstruct --message 0f3b1c7e-6d1e-4c57-9b0a-6f1d2c3b4a59 --json
    """
    if sum(choice is not None for choice in (message, token_hash, ebox)) != 1:
        raise click.UsageError("Give one of --message, --token-hash and --ebox.")
    from registry.audit.investigation import EntrySearch

    search = EntrySearch(message_id=message, token_hash=token_hash, ebox=ebox, period=period)
    with audit_services() as services:
        entries = services.investigation.search(search)
    if not entries:
        raise click.ClickException("The trail has nothing of this.")
    if is_json:
        print_json([texts.make_entry_members(entry) for entry in entries])
        return
    # The base path is the same in nearly every row, and what follows it is what counts.
    settings = load_settings("trail")
    bases = (settings.enterprise_base_path, settings.citizen_base_path)
    print_table(texts.ENTRIES, [texts.make_entry_row(entry, bases) for entry in entries])
