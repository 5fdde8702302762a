"""Decisions of operators on events: to have them told again, or left out."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from registry.cli.events import output as tables
from registry.cli.operator import named_operator
from registry.cli.options import with_reason
from registry.cli.services import worker_services
from registry.terminal.screen import show_count

if TYPE_CHECKING:
    from registry.services.events.administration import EventAdministration


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID)
@click.option("--dead", is_flag=True, help="All that are dead now.")
@named_operator
def replay(ids: tuple[UUID, ...], *, dead: bool) -> None:
    """Have the events of these IDs told again, whatever became of them.

    They keep their ids, so that whoever was told before knows. Exit code 1 when there is no event
    of an ID, or it is forgotten: told more than REGISTRY_EVENTS_KEPT_DAYS ago; the others are told
    again all the same.

    Example: registry events replay --dead
    """
    if bool(ids) == dead:
        raise click.UsageError("Give the ids of events, or --dead.")
    with worker_services("hash key") as services:
        if dead:
            _replay_dead(services.event_administration)
            return
        events = services.event_administration.replay(ids)
        memory = tables.describe_memory(services.event_memory)
    for event in events:
        click.echo(f"Will be told again: {tables.describe_event(event)}.")
    # Named after those that were found: a wrong id is no reason to leave the others dead.
    known_ids = {event.correlation_id for event in events}
    if missing := [str(each) for each in dict.fromkeys(ids) if each not in known_ids]:
        rest = f" The other {len(events)} will be told again." if events else ""
        raise click.ClickException(f"There is no event {', '.join(missing)}.{rest} {memory}")


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.UUID)
@with_reason("For whoever wonders later; kept with the events.")
@named_operator
def skip(ids: tuple[UUID, ...], *, why: str) -> None:
    """Leave the events of these IDs untold: those that wait, or are dead.

    Exit code 1 when there is no event of an ID, when it was told, or is being told this moment;
    the others are left untold all the same.

    Example: registry events skip 0f3b1c7e-6d1e-4c57-9b0a-6f1d2c3b4a59 --why "Sent by hand"
    """
    with worker_services("hash key") as services:
        events = services.event_administration.skip(ids, why)
        for event in events:
            click.echo(f"Will not be told: {tables.describe_event(event)}.")
        skipped_ids = {event.correlation_id for event in events}
        others = [each for each in dict.fromkeys(ids) if each not in skipped_ids]
        for each in others:
            click.echo(f"{each}: {_explain(services.event_administration, each)}.", err=True)
    if others:
        count = f"{len(others)} of {len(events) + len(others)}"
        raise click.ClickException(f"Nothing was changed of {count}.")


def _replay_dead(event_administration: "EventAdministration") -> None:
    total = 0
    try:
        with show_count() as count:
            for batch in event_administration.replay_dead():
                total += batch
                count(total)
    finally:
        click.echo(f"Events that will be told again: {total}.")


def _explain(event_administration: "EventAdministration", correlation_id: UUID) -> str:
    """Say why an event could not be left untold."""
    for event in event_administration.find(correlation_id):
        if event.correlation_id == correlation_id:  # and not the message's
            return tables.describe_state(event, event_administration.now())
    return "there is no such event, or it was told, and is forgotten"
