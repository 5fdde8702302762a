"""Suspension of senders, typed by an operator."""

from typing import TYPE_CHECKING, Any, Final

import click

from registry.cli.operator import named_operator
from registry.cli.options import in_json, with_reason
from registry.cli.output import print_json, print_table, write_local_time
from registry.cli.services import worker_services
from registry.terminal.numbers import EnterpriseNumberType
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.domain.identifiers import EnterpriseNumber
    from registry.store.publication.suspensions import SuspendedSender, Suspension
    from registry.terminal.options import Command

_HEADINGS: Final = ("sender", "application", "suspended at", "why")
_LONGEST: Final = 500  # characters of a reason, which the trail keeps for ten years
_ALL: Final = "all"


def _with_sender(command: "Command") -> "Command":
    """Give a command the sender that it is about: an enterprise, an application, or both."""
    argument = click.argument(
        "enterprise", metavar="[NUMBER]", required=False, type=EnterpriseNumberType()
    )
    option = click.option(
        "--application",
        "application_id",
        metavar="ID",
        help="This sender application alone; without an enterprise, whoever uses it.",
    )
    return argument(option(command))


@click.command()
@_with_sender
@with_reason("Kept with the suspension and in the audit trail, without numbers of persons.")
@named_operator
@in_json
def suspend(
    *, enterprise: "EnterpriseNumber | None", application_id: str | None, why: str, is_json: bool
) -> None:
    """Refuse all that a sender publishes, until it is resumed.

    Publications, replies and broadcasts are refused with 403 `SENDER_SUSPENDED`, on all processes
    at once; broadcasts under way wait. What was being published that moment is waited for. A sender
    that is suspended already stays so, with the first reason.

    Example: registry sender suspend 0206731645 --application my-payroll --why "wrong recipients"
    """
    with worker_services("hash key") as services:
        suspension = services.suspensions.suspend(
            _make_sender(enterprise, application_id), clean_text(why, _LONGEST)
        )
    if is_json:
        print_json(_make_json(suspension))
        return
    since = write_local_time(suspension.suspended_at)
    click.echo(f"Suspended since {since}: {_describe(suspension.sender)}.")


@click.command()
@_with_sender
@with_reason("Kept with the suspension and in the audit trail, without numbers of persons.")
@named_operator
def resume(*, enterprise: "EnterpriseNumber | None", application_id: str | None, why: str) -> None:
    """Let a suspended sender publish again.

    Name it as it was suspended. The worker goes on with its broadcasts. Exit code 1 when there is
    no such suspension in force.

    Example: registry sender resume 0206731645 --application my-payroll --why "mended"
    """
    with worker_services("hash key") as services:
        sender = _make_sender(enterprise, application_id)
        services.suspensions.resume(sender, clean_text(why, _LONGEST))
    click.echo(f"Resumed: {_describe(sender)}.")


@click.command("list")
@click.option("--all", "with_resumed", is_flag=True, help="Also those that were resumed.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many, the oldest first.",
)
@in_json
def list_(*, with_resumed: bool, limit: int, is_json: bool) -> None:
    """List the senders that are suspended, the oldest first.

    Example: registry sender list --all --json
    """
    with worker_services() as services:
        rows = services.suspensions.list_suspensions(with_resumed=with_resumed, limit=limit + 1)
    if is_json:
        print_json([_make_json(row) for row in rows[:limit]])
    elif rows:
        print_table(_HEADINGS, [_make_row(row) for row in rows[:limit]])
    else:
        click.echo("No sender is suspended.")
    if len(rows) > limit:
        click.echo(f"These are the oldest {limit}; there are more: use --limit.", err=True)


def _make_sender(
    enterprise: "EnterpriseNumber | None", application_id: str | None
) -> "SuspendedSender":
    if enterprise is None and not application_id:
        raise click.UsageError("Give the number of an enterprise, --application, or both.")
    from registry.store.publication.suspensions import SuspendedSender

    return SuspendedSender(enterprise.digits if enterprise else None, application_id or None)


def _describe(sender: "SuspendedSender") -> str:
    applications = f"application {clean_text(sender.application_id)}"
    if sender.number is None:
        return f"{applications}, whoever uses it"
    if sender.application_id is None:
        return f"enterprise {sender.number}, with all its applications"
    return f"enterprise {sender.number} with {applications}"


def _make_row(suspension: "Suspension") -> tuple[str, ...]:
    why = clean_text(suspension.why)
    if suspension.resumed_at is not None:
        resumed_at = write_local_time(suspension.resumed_at)
        why = f"{why} (resumed at {resumed_at}: {clean_text(suspension.resumed_why)})"
    sender = suspension.sender
    return (
        sender.number or _ALL,
        clean_text(sender.application_id) or _ALL,
        write_local_time(suspension.suspended_at),
        why,
    )


def _make_json(suspension: "Suspension") -> dict[str, Any]:
    """Make JSON of a suspension; what is not known is left out."""
    members = {
        "suspensionId": suspension.suspension_id,
        "enterpriseNumber": suspension.sender.number,
        "senderApplicationId": suspension.sender.application_id,
        "why": clean_text(suspension.why),
        "suspendedAt": suspension.suspended_at,
        "resumedAt": suspension.resumed_at,
        "resumedWhy": clean_text(suspension.resumed_why) or None,
    }
    return {name: value for name, value in members.items() if value is not None}
