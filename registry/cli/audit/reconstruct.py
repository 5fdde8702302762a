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
from registry.terminal.screen import show_spinner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.audit.entry_search import LocatedEntry
    from registry.domain.identifiers import Ebox


@click.command()
@click.option("--message", type=click.UUID, help="Entries that name this message.")
@click.option("--token-hash", type=TokenHash(), help="Calls with this token: its SHA-256.")
@click.option(
    "--ebox", type=EboxType(check_digits=True, may_omit_kind=True), help="Operations in this e-Box."
)
@click.option(
    "--all",
    "is_all",
    is_flag=True,
    help="Each entry of a message, and not its story, which is a line for each kind of them.",
)
@click.option(
    "--scan",
    "is_scan",
    is_flag=True,
    help="Read every entry, and tell which the index does not find: it proves nothing.",
)
@with_period("The first day; as the database dates entries.", "The last day.")
@named_operator
@in_json
def reconstruct(  # noqa: PLR0913 - an option each
    *,
    message: UUID | None,
    token_hash: str | None,
    ebox: "Ebox | None",
    is_all: bool,
    is_scan: bool,
    period: "TrailPeriod",
    is_json: bool,
) -> None:
    """List what happened to a message, with a token or in an e-Box, in the order of time.

    Of a message its story is told, a line for each kind of thing that happened, whether it was
    shown in six thousand lists or in one; --all has each entry. E-Boxes are found by the keyed
    hashes that stand for them, also under former keys. Each entry says under which seal it lies,
    and the story warns when one is not as it was sealed. The search itself is recorded. Exit code 1
    when there is nothing.

    Example: registry audit reconstruct --message 0b6f3f8e-5d3c-4c8e-9f59-0a6c1c7f2a11
    """
    if sum(choice is not None for choice in (message, token_hash, ebox)) != 1:
        raise click.UsageError("Give one of --message, --token-hash and --ebox.")
    with audit_services() as services, show_spinner("reading the trail"):
        from registry.audit.entry_search import EntrySearch

        search = EntrySearch(
            message_id=message, token_hash=token_hash, ebox=ebox, period=period, is_scan=is_scan
        )
        entries = services.investigation.search(search)
    if not entries:
        raise click.ClickException("The trail has nothing of this.")
    texts.warn_of_hidden(sum(entry.is_hidden for entry in entries))
    if message and not is_all:
        _print_story(entries, str(message), is_json=is_json)
        return
    if is_json:
        print_json([texts.make_entry_members(entry) for entry in entries])
        return
    # The base path is the same in nearly every row, and what follows it is what counts.
    settings = load_settings("trail")
    bases = (settings.enterprise_base_path, settings.citizen_base_path)
    print_table(texts.ENTRIES, [texts.make_entry_row(entry, bases) for entry in entries])


def _print_story(entries: "Sequence[LocatedEntry]", message_id: str, *, is_json: bool) -> None:
    from registry.audit.trail.letter_story import tell_story

    story = tell_story((entry.record for entry in entries), message_id)
    if is_json:
        print_json([texts.make_story_members(line) for line in story])
    else:
        print_table(texts.STORY, [texts.make_story_row(line) for line in story])
    count = sum(entry.seal is None for entry in entries)
    if count:
        click.echo(f"Entries that are not yet under a seal: {count}.", err=True)
    if any(entry.seal is not None and not entry.is_as_sealed for entry in entries):
        click.echo("Some are NOT as they were sealed: --all says which.", err=True)
