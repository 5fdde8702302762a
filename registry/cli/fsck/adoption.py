"""`registry fsck --adopt`: lost publications, and how an operator has them filed again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from registry.cli.fsck.endings import advise_at_the_end
from registry.cli.output import write_local_time
from registry.cli.services import worker_services
from registry.domain.belgian_time import BELGIUM
from registry.terminal.screen import show_count

if TYPE_CHECKING:
    from registry.services.documents.adoption import Adoption, AdoptionScope, LostPublication
    from registry.terminal.options import Command

_TIME: Final = click.DateTime(["%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"])
_FORM: Final = "{:36}  {:25}  {:10}  {:>9}  {:>13}  {}"
_ADVICE: Final = "What was adopted stays; the same call goes on with the rest."


@dataclass(frozen=True)
class _Orders:
    """The options that were typed; without `is_certain` nothing is changed."""

    scope: "AdoptionScope"
    is_certain: bool
    is_announced: bool
    is_json: bool


@dataclass
class _Figures:
    """How many there were of each outcome."""

    records: int = 0
    publications: int = 0
    adoptions: int = 0
    leftovers: int = 0


def with_adoption(command: "Command") -> "Command":
    """Give a command `--adopt` and what belongs to it; with that it does this and nothing else."""

    @wraps(command)
    def run(*, is_adopting: bool, is_certain: bool, is_quiet: bool, **rest: Any) -> Any:
        limits = {name: rest.pop(name) for name in ("message_ids", "begin", "end")}
        if not is_adopting:
            if is_certain or is_quiet or any(limits.values()):
                raise click.UsageError(
                    "--yes, --message, --published-after, --published-before and --without-events"
                    " belong to --adopt."
                )
            return command(**rest)
        if rest["is_deep"] or rest["is_repairing"] or rest["path"]:
            raise click.UsageError("--adopt goes without --deep, --repair and --state.")
        from registry.services.documents.adoption import AdoptionScope

        scope = AdoptionScope(
            ebox=rest["ebox"], older_than=timedelta(hours=rest["older_than"]), **limits
        )
        return _adopt_lost(_Orders(scope, is_certain, not is_quiet, rest["is_json"]))

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


_OPTIONS: Final = (
    click.option(
        "--adopt",
        "is_adopting",
        is_flag=True,
        help="List publications that the database lost, by their records in storage.",
    ),
    click.option("--yes", "is_certain", is_flag=True, help="File them again."),
    click.option(
        "--message",
        "message_ids",
        metavar="ID",
        type=click.UUID,
        multiple=True,
        help="Adopt this one; may be given again.",
    ),
    click.option(
        "--published-after",
        "begin",
        metavar="TIME",
        type=_TIME,
        help="Adopt what was received from then on, such as 2026-11-27T09:00+01:00.",
    ),
    click.option(
        "--published-before", "end", metavar="TIME", type=_TIME, help="Adopt what came before."
    ),
    click.option(
        "--without-events",
        "is_quiet",
        is_flag=True,
        help="Do not have the federation told of what is adopted.",
    ),
)


def _adopt_lost(orders: _Orders) -> None:
    figures, printer = _Figures(), _Printer(is_json=orders.is_json)
    with (
        worker_services("documents", "hash key") as services,
        advise_at_the_end(_ADVICE),
        show_count() as show,
    ):

        def count(records: int) -> None:
            figures.records = records
            show(records)

        settle = _choose(services.adoption, orders)
        for publication in services.adoption.find(orders.scope, count):
            outcome = settle(publication)
            printer.print_line(outcome)
            figures.publications += 1
            figures.adoptions += outcome.is_settled
            figures.leftovers += not outcome.is_settled
    printer.print_figures(figures)
    if figures.leftovers:
        what = "publication is" if figures.leftovers == 1 else "publications are"
        advice = "" if orders.is_certain else " Nothing was changed; --yes files again what can be."
        raise click.ClickException(f"{figures.leftovers} lost {what} left.{advice}")


def _choose(
    adoption: "Adoption", orders: _Orders
) -> Callable[["LostPublication"], "LostPublication"]:
    if not orders.is_certain:
        return adoption.rehearse
    return lambda publication: adoption.adopt(publication, is_announced=orders.is_announced)


@dataclass
class _Printer:
    """Prints a table, or JSON lines; neither names anybody."""

    is_json: bool
    _has_head: bool = field(default=False, init=False)

    def print_line(self, publication: "LostPublication") -> None:
        """Print one publication."""
        recipient = publication.message.request.draft.recipient if publication.message else None
        size = sum(attachment.size for attachment in publication.attachments)
        if self.is_json:
            members = {
                "finding": "lost",
                "messageId": str(publication.message_id),
                "receivedAt": publication.received_at
                and publication.received_at.astimezone(BELGIUM).isoformat(),
                "recipientType": recipient and recipient.kind.value,
                "documents": len(publication.attachments) if publication.message else None,
                "bytes": size if publication.message else None,
                "outcome": publication.outcome,
                "isSettled": publication.is_settled,
            }
            click.echo(json.dumps({k: v for k, v in members.items() if v is not None}))
            return
        if not self._has_head:
            head = ("message", "received", "to", "documents", "bytes", "outcome")
            click.echo(_FORM.format(*head))
            self._has_head = True
        sizes = (len(publication.attachments), size) if publication.message else ("", "")
        instant = publication.received_at and write_local_time(publication.received_at)
        kind = recipient.kind.value if recipient else ""
        click.echo(
            _FORM.format(
                str(publication.message_id), instant or "", kind, *sizes, publication.outcome
            )
        )

    def print_figures(self, figures: _Figures) -> None:
        """Print the sums."""
        if self.is_json:
            click.echo(
                json.dumps(
                    {
                        "isSound": not figures.publications,
                        "records": figures.records,
                        "lost": figures.publications,
                        "adopted": figures.adoptions,
                        "unsettled": figures.leftovers,
                    }
                )
            )
            return
        click.echo(
            f"Records of publications: {figures.records}; lost: {figures.publications};"
            f" adopted: {figures.adoptions}."
        )
