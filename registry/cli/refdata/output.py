"""Changes of reference data for operators and their programs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from registry.cli.output import print_table, write_local_time
from registry.domain.reference_set import MemberChange, ReferenceAction, ReferenceChange
from registry.terminal.text import clean_text

if TYPE_CHECKING:
    from registry.services.reference_import import ImportPlan
    from registry.store.reference_uses import ReferenceUse

_HEADINGS: Final = ("change", "kind", "id", "member", "old → new")
_LONGEST: Final = 200  # characters of a text that are shown


def print_changes(changes: Sequence[ReferenceChange]) -> None:
    """Print a table: a row for each entry that comes or goes, and for each member that changes."""
    if changes:
        print_table(_HEADINGS, [row for change in changes for row in _make_rows(change)])


def print_uses(uses: Sequence["ReferenceUse"]) -> None:
    """Say on standard error what cannot be removed, and for which messages."""
    click.echo("\nNothing was changed: messages refer to what the file does not have.", err=True)
    for use in uses:
        examples = ", ".join(map(str, use.message_ids))
        messages = "1 message" if use.count == 1 else f"{use.count} messages"
        click.echo(
            f"{use.name.kind} {use.name.identifier}: {messages}, the last of which expires at"
            f" {write_local_time(use.last_expiry)}; among them {examples}.",
            err=True,
        )
    click.echo("Put these back into the file until the purge has deleted the messages.", err=True)


def make_plan_json(plan: "ImportPlan", *, is_done: bool) -> dict[str, Any]:
    """Make JSON of all that changes, and of what stands in the way."""
    return {
        "isDone": is_done,
        "isRefused": bool(plan.uses),
        "changes": [
            {
                "change": change.action.value,
                "kind": change.name.kind.value,
                "id": change.name.identifier,
                "members": [
                    {"member": each.member, "old": each.old, "new": each.new}
                    for each in change.members
                ],
            }
            for change in plan.changes
        ],
        "uses": [
            {
                "kind": use.name.kind.value,
                "id": use.name.identifier,
                "messages": use.count,
                "lastExpiry": use.last_expiry,
                "messageIds": use.message_ids,
            }
            for use in plan.uses
        ],
    }


def _make_rows(change: ReferenceChange) -> Iterator[tuple[str, ...]]:
    head = (change.action.value, change.name.kind.value, clean_text(change.name.identifier))
    if change.action is ReferenceAction.CHANGE:
        for member in change.members:
            yield (*head, member.member, f"{_show(member.old)} → {_show(member.new)}")
    else:
        yield (*head, "", _find_title(change.members))


def _find_title(members: Sequence[MemberChange]) -> str:
    """Find the first text of an entry, which is its name."""
    return next((_show(each.new or each.old) for each in members), "")


def _show(value: str | None) -> str:
    return "nothing" if value is None else clean_text(value, _LONGEST)
