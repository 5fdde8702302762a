"""Counts for a first look."""

from datetime import UTC, datetime, timedelta
from typing import Any

from registry.conformance.requirement import (
    ENTERPRISE,
    V2,
    V3,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import Message, Workbench

_V3 = frozenset({V3})
_SOURCE = "contract 2.7, decision 6.9 (path and names are inferred)"
_SOON = timedelta(days=15)


def _count(bench: Workbench, role: Role = Role.READER) -> dict[str, Any]:
    return bench.get("/ebox/statistics", role).expect_status(200).members()


def _expect_count(name: str, counts: dict[str, Any], messages: list[Message]) -> None:
    expect(counts[name] == len(messages), f"{name} is {counts[name]}, not {len(messages)}.")


@requires(
    "statistics-messages",
    source=_SOURCE,
    mend="Count the messages that the list shows, hidden ones too.",
    versions=_V3,
    obligation=Obligation.SHOULD,
)
def count_messages(bench: Workbench) -> None:
    """The statistics count the messages, the unread, and the registered ones that are listed."""
    bench.forget_messages()  # documents that were opened since may have marked some as read
    messages, counts = bench.walk_messages(), _count(bench)
    _expect_count("numberOfMessages", counts, messages)
    unread = [message for message in messages if not message[bench.dialect.is_read]]
    _expect_count("numberOfUnreadMessages", counts, unread)
    registered_mail = [message for message in messages if message[bench.dialect.is_registered]]
    _expect_count("numberOfRegisteredMessages", counts, registered_mail)


@requires(
    "statistics-actions",
    source=_SOURCE,
    mend="Count messages whose action is not executed.",
    versions=_V3,
    obligation=Obligation.MAY,
)
def count_required_actions(bench: Workbench) -> None:
    """The statistics count the messages with an action to execute."""
    due = [
        message
        for message in bench.walk_messages()
        if message.get("messageAction", {}).get("isExecuted") is False
    ]
    _expect_count("numberOfActionRequiredMessages", _count(bench), due)


@requires(
    "statistics-soon-expiring",
    source="contract 2.7, 4.24 (SCEN): unread, and fewer than 15 days left",
    mend="Count messages that are unread and have fewer than fifteen days left.",
    versions=_V3,
    obligation=Obligation.SHOULD,
)
def count_soon_expiring(bench: Workbench) -> None:
    """The statistics count what is unread and expires within fifteen days."""
    until = datetime.now(UTC) + _SOON
    soon = [
        message
        for message in bench.walk_messages()
        if not message[bench.dialect.is_read]
        and datetime.fromisoformat(message["expirationDate"]) < until
    ]
    _expect_count("numberOfSoonExpiringMessages", _count(bench), soon)


@requires(
    "statistics-of-people",
    source="contract 2.7 (inferred): only partitions that the person may read",
    mend="Limit the counts of a person as his list is limited.",
    versions=_V3,
    families=frozenset({ENTERPRISE}),
    roles=(Role.PERSON,),
)
def count_readable_partitions(bench: Workbench) -> None:
    """A person's statistics count what he may read."""
    _expect_count("numberOfMessages", _count(bench, Role.PERSON), bench.walk_messages(Role.PERSON))


@requires(
    "summary",
    source="contract 1.2 operation 23 (2.1): GET /ebox",
    mend="Serve the summary of the e-Box in version 2.1.",
    versions=frozenset({V2}),
    obligation=Obligation.SHOULD,
)
def summarize_ebox(bench: Workbench) -> None:
    """The summary of the e-Box is there in version 2.1."""
    answer = bench.get("/ebox")
    if answer.status == 403:
        raise Untestable("The scope of the reader does not open the summary.")
    answer.expect_status(200).members()
