"""Filters of the list: each alone, at the boundaries of days, and together."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from registry.conformance.requirement import V3, Obligation, Role, Untestable, expect, requires
from registry.conformance.workbench import LIST, Message, Workbench

_BELGIUM = "Europe/Brussels"
_TOGETHER = "contract 4.2 (DOC21): criteria are AND-ed; nothing matches is 200 with an empty list"
_DAYS = "contract 1.3 (2.1): format date; days are those of Belgium"


def compare_list(bench: Workbench, matches: list[Message], what: str, **query: Any) -> None:
    """Raise `Unmet` unless the query gives these messages, and counts them."""
    page = bench.list_messages(Role.READER, pageSize=100, **query)
    ids = [message["messageId"] for message in matches]
    surplus, missing = len(set(page.ids) - set(ids)), len(set(ids[:100]) - set(page.ids))
    expect(not surplus, f"{what}: {surplus} messages are listed that do not match.")
    expect(not missing, f"{what}: {missing} messages that match are not listed.")
    expect(page.total == len(ids), f"{what}: totalItems is {page.total}, not {len(ids)}.")


def _compare_flag(bench: Workbench, name: str, member: str) -> None:
    messages = bench.get_some_messages()
    for value in (True, False):
        matches = [message for message in messages if message.get(member, not value) is value]
        text = str(value).lower()
        compare_list(bench, matches, f"{name}={text}", **{name: text})


def _compare_member(bench: Workbench, name: str, values: list[str]) -> None:
    """Ask for the rarest and the most frequent of these values, one of each message."""
    messages = bench.get_some_messages()
    counts = Counter(value for value in values if value).most_common()
    if not counts:
        raise Untestable(f"No message has what {name} is about.")
    for value in {counts[0][0], counts[-1][0]}:
        matches = [message for message, own in zip(messages, values, strict=True) if own == value]
        compare_list(bench, matches, name, **{name: value})


@requires(
    "filter-read",
    source=f"contract 1.3, 6.4; {_TOGETHER}",
    mend="Compare the filter with the read status that the list shows.",
)
def filter_by_read_status(bench: Workbench) -> None:
    """The filter on the read status divides the list in two."""
    _compare_flag(bench, bench.dialect.is_read, bench.dialect.is_read)


@requires(
    "filter-visible",
    source=f"contract 1.3, 6.4; {_TOGETHER}",
    mend="Compare the filter with the visibility that the list shows; without it, list all.",
)
def filter_by_visibility(bench: Workbench) -> None:
    """The filter on visibility divides the list in two."""
    _compare_flag(bench, bench.dialect.is_visible, bench.dialect.is_visible)


@requires(
    "filter-registered",
    source=f"contract 1.3, 6.4; {_TOGETHER}",
    mend="Compare the filter with the member that the list shows.",
)
def filter_by_registered_mail(bench: Workbench) -> None:
    """The filter on registered mail divides the list in two."""
    _compare_flag(bench, bench.dialect.is_registered, bench.dialect.is_registered)


@requires(
    "filter-message-type",
    source=f"contract 1.3; {_TOGETHER}",
    mend="Compare the id as it is, not a part of it.",
)
def filter_by_message_type(bench: Workbench) -> None:
    """messageTypeId lists the messages of that type, and no others."""
    values = [str(message["messageTypeId"]) for message in bench.get_some_messages()]
    _compare_member(bench, "messageTypeId", values)


@requires(
    "filter-sender",
    source=f"contract 1.3; {_TOGETHER}",
    mend="Compare all ten digits, with the zero in front.",
)
def filter_by_sender(bench: Workbench) -> None:
    """senderOrganizationId lists the messages of that sender, and no others."""
    values = [bench.dialect.read_sender(message) for message in bench.get_some_messages()]
    _compare_member(bench, "senderOrganizationId", values)


@requires(
    "filter-application",
    source=f"contract 1.3; {_TOGETHER}",
    mend="Compare the id as it is, not a part of it.",
)
def filter_by_application(bench: Workbench) -> None:
    """senderApplicationId lists the messages of that application, and no others."""
    values = [str(item.get("senderApplicationId", "")) for item in bench.get_some_messages()]
    _compare_member(bench, "senderApplicationId", values)


def _compare_days(bench: Workbench, member: str, after: str, before: str) -> None:
    """Ask around the day of the message in the middle, and on both sides of its midnight."""
    messages = bench.get_some_messages()
    days = [read_day(message[member]) for message in messages]
    for day in {days[len(days) // 2], days[0] + timedelta(days=1)}:
        later = [message for message, own in zip(messages, days, strict=True) if own >= day]
        earlier = [message for message, own in zip(messages, days, strict=True) if own < day]
        compare_list(bench, later, f"{after} a day", **{after: day.isoformat()})
        compare_list(bench, earlier, f"{before} a day", **{before: day.isoformat()})


def read_day(text: str) -> date:
    """Read the day of an instant in Belgium."""
    return datetime.fromisoformat(text).astimezone(ZoneInfo(_BELGIUM)).date()


@requires(
    "filter-received-day",
    source=_DAYS,
    mend="receivedAfter=D is from the beginning of D, receivedBefore=D up to it: no day in both.",
)
def filter_by_day_of_receipt(bench: Workbench) -> None:
    """receivedAfter and receivedBefore meet at the beginning of a day: no message is in both."""
    _compare_days(bench, "receiptDate", "receivedAfter", "receivedBefore")


@requires(
    "filter-expired-day",
    source=_DAYS,
    mend="expiredAfter=D is from the beginning of D, expiredBefore=D up to it.",
)
def filter_by_day_of_expiry(bench: Workbench) -> None:
    """expiredAfter and expiredBefore meet at the beginning of a day."""
    _compare_days(bench, "expirationDate", "expiredAfter", "expiredBefore")


@requires(
    "filter-zone",
    source=_DAYS,
    mend="Begin days at midnight in Europe/Brussels, summer and winter, not in UTC.",
    obligation=Obligation.SHOULD,
)
def filter_by_days_of_belgium(bench: Workbench) -> None:
    """A message of shortly after midnight in Belgium is of that day, whatever day UTC has."""
    for message in bench.get_some_messages():
        for member, after in (("receiptDate", "receivedAfter"), ("expirationDate", "expiredAfter")):
            moment = datetime.fromisoformat(message[member]).astimezone(ZoneInfo("UTC"))
            day = read_day(message[member])
            if moment.date() != day:
                query = {after: day.isoformat()}
                page = bench.list_messages(Role.READER, pageSize=100, **query)
                inside = message["messageId"] in page.ids or page.total > 100
                expect(inside, f"{after}: a day begins later than midnight in Belgium.")
                return
    raise Untestable("No message is of the first hours of a day in Belgium.")


@requires(
    "filter-together",
    source=_TOGETHER,
    mend="Combine criteria by AND.",
)
def filter_together(bench: Workbench) -> None:
    """Several criteria must all hold."""
    messages, dialect = bench.get_some_messages(), bench.dialect
    kind, status = messages[0]["messageTypeId"], messages[0][dialect.is_read]
    matches = [
        message
        for message in messages
        if message["messageTypeId"] == kind and message[dialect.is_read] is status
    ]
    query = {"messageTypeId": kind, dialect.is_read: str(status).lower()}
    compare_list(bench, matches, "Two criteria together", **query)


@requires(
    "filter-impossible",
    source=_TOGETHER,
    mend="Answer criteria that nothing meets with 200, items [] and totalItems 0, not with 404.",
)
def filter_impossibly(bench: Workbench) -> None:
    """Criteria that nothing meets give an empty list, and no error."""
    page = bench.list_messages(receivedBefore="1999-01-01", messageTypeId="nothing-has-this-type")
    expect((page.items, page.total) == ([], 0), "Impossible criteria list something.")


@requires(
    "filter-syntax",
    source="contract 4.2 (DOC21): 400 for parameters of the wrong form",
    mend="Refuse dates that are none and booleans that are neither true nor false.",
)
def refuse_malformed_filters(bench: Workbench) -> None:
    """Dates and booleans of the wrong form are answered with 400."""
    wrong = (("receivedAfter", "yesterday"), ("expiredBefore", "2026-02-30"))
    for name, text in (*wrong, (bench.dialect.is_read, "perhaps")):
        bench.get(LIST, Role.READER, **{name: text}).expect_status(400)


@requires(
    "filter-action",
    source="contract 1.3 (inferred: portal and statistics count them), 6.4",
    mend="Compare with messageAction.isExecuted.",
    obligation=Obligation.MAY,
    versions=frozenset({V3}),
)
def filter_by_required_action(bench: Workbench) -> None:
    """isActionRequired lists the messages whose action is still to be executed."""
    messages = bench.get_some_messages()
    due = [item for item in messages if item.get("messageAction", {}).get("isExecuted") is False]
    others = [message for message in messages if message not in due]
    compare_list(bench, due, "isActionRequired=true", isActionRequired="true")
    compare_list(bench, others, "isActionRequired=false", isActionRequired="false")
