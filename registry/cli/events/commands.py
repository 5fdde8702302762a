"""The events on their way to the federation: what was told, and what was not."""

from datetime import timedelta
from uuid import UUID

import click

from registry.cli.events import output as tables
from registry.cli.options import in_json
from registry.cli.output import print_json, print_members, print_table
from registry.cli.services import worker_services


@click.command("list")
@click.option("--due", is_flag=True, help="Those that wait and should have been told (default).")
@click.option("--dead", is_flag=True, help="Those that the Event Service refused.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many, the oldest first.",
)
@in_json
def list_(*, due: bool, dead: bool, limit: int, is_json: bool) -> None:
    """List the events that are due, or dead.

    Example: registry events list --dead
    """
    if due and dead:
        raise click.UsageError("Give --due or --dead, not both.")
    kind = "dead" if dead else "due"
    with worker_services() as services:
        administration = services.event_administration
        list_events = administration.list_dead if dead else administration.list_due
        first_events = list_events(limit + 1)  # one more, to know whether there are more
    if is_json:
        print_json([tables.make_event_json(event) for event in first_events[:limit]])
    elif first_events:
        print_table(
            tables.HEADINGS, [tables.make_event_row(event) for event in first_events[:limit]]
        )
    else:
        click.echo(f"No event is {kind}.")
    if len(first_events) > limit:
        click.echo(f"These are the oldest {limit}; more are {kind}: use --limit.", err=True)


@click.command()
@click.argument("id_", metavar="ID", type=click.UUID)
@in_json
def show(id_: UUID, *, is_json: bool) -> None:
    """Show the event of this ID, or all events of the message of this ID.

    What was told more than REGISTRY_EVENTS_KEPT_DAYS ago is forgotten. Of a message that was
    deleted the proofs are shown. Exit code 1 when nothing has this id.

    Example: registry events show 0f3b1c7e-6d1e-4c57-9b0a-6f1d2c3b4a59
    """
    with worker_services() as services:
        # An id is an event's or a message's, and only the database knows which.
        matches = services.event_administration.find(id_)
        proofs = services.deletion_proofs.find(id_)
        is_known = matches or proofs or services.event_administration.has_message(id_)
        now, event_memory = services.event_administration.now(), services.event_memory
    memory = tables.describe_memory(event_memory)
    if not is_known:
        raise click.ClickException(f"There is no event and no message {id_}. {memory}")
    if is_json:
        print_json(
            {
                "events": [tables.make_event_json(event) for event in matches],
                "deletions": [tables.make_proof_json(deletion) for deletion in proofs],
                "toldEventsSince": event_memory.find_horizon(),
            }
        )
        return
    items = [tables.make_event_members(event, now) for event in matches]
    items += [tables.make_proof_members(proof) for proof in proofs]
    for number, item in enumerate(items):
        if number:
            click.echo()
        print_members(item)
    if not items:
        click.echo(f"No event of message {id_} is there.")
    if not any(event.correlation_id == id_ for event in matches):
        click.echo(memory, err=True)


@click.command()
@click.option(
    "--days",
    type=click.IntRange(0, 366),
    default=2,
    show_default=True,
    help="How far ahead; 0 for what is due already.",
)
@in_json
def preview(*, days: int, is_json: bool) -> None:
    """Show the reminders and alerts of the next days, unless messages are read first.

    Days are those of Belgium. What is due already counts for today.

    Example: registry events preview --days 7
    """
    with worker_services("reminders") as services:
        rows = services.reminders.preview(timedelta(days=days))
    if is_json:
        print_json([row._asdict() for row in rows])
        return
    lines = [(str(row.day), row.type, str(row.messages), str(row.eboxes)) for row in rows]
    if lines:
        print_table(tables.FORECASTS, lines)
    total = sum(row.messages for row in rows)
    click.echo(f"Total of events: {total}.")
