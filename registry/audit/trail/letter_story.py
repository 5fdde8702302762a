"""The story of one letter, out of the entries that name it: a line for each kind of thing.

Where ETSI EN 319 522-1 (clause 6) has an event for it, the line has its code and name.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from registry.audit.trail.entry import Record

_INTERNAL: Final = "urn:registry:"  # what no call asked for: its operation follows


class _Step(NamedTuple):
    """A kind of step: how it is told, the events of EN 319 522-1, and whether it is evidence."""

    title: str
    events: tuple[str, ...] = ()
    is_evidence: bool = True


class LetterStep(Enum):
    """A thing that can happen to a letter; lists name many letters, and are evidence of none."""

    SUBMISSION = _Step(
        "Published: accepted from its sender, and in the e-Box",
        ("A.1 SubmissionAcceptance", "D.1 ContentConsignment"),
    )
    CONSIGNMENT = _Step("Given to further recipients", ("D.1 ContentConsignment",))
    LISTING = _Step("Shown in a list", is_evidence=False)
    CONSULTATION = _Step("Its data shown, without content")
    RETRIEVAL = _Step("Content handed out", ("E.1 ContentHandover",))
    CHANGE = _Step("Marked, moved, hidden or shown by who may")
    ACTION = _Step("Its action executed")
    REPLY = _Step("Answered")
    STATUS = _Step("Its status told to its sender", is_evidence=False)
    FEDERATION = _Step("An operator decided on an event of the federation")
    WITHDRAWAL = _Step("Withdrawn by the provider")
    HOLD = _Step("Put under a legal hold, or freed of it")
    OPERATOR = _Step("Looked after by an operator")
    PURGE = _Step("Deleted, its time being over")
    INVESTIGATION = _Step("Looked up in this trail", is_evidence=False)
    OTHER = _Step("Something else")

    @property
    def title(self) -> str:
        """The words for people."""
        return self.value.title

    @property
    def events(self) -> Sequence[str]:
        """Code and name of the events of EN 319 522-1 that the step is."""
        return self.value.events

    @property
    def is_evidence(self) -> bool:
        """True where its entries are about the letter, not about whatever else is beside it."""
        return self.value.is_evidence


# By the operation, or its first word.
_INTERNAL_STEPS: Final[Mapping[str, LetterStep]] = {
    "audit": LetterStep.INVESTIGATION,
    "broadcast": LetterStep.CONSIGNMENT,
    "ebox/erase": LetterStep.PURGE,
    "events": LetterStep.FEDERATION,
    "hold": LetterStep.HOLD,
    "message/withdraw": LetterStep.WITHDRAWAL,
    "purge": LetterStep.PURGE,
}
# By the method and the last part of the path, in both versions; else by the method.
_CALL_STEPS: Final[Mapping[tuple[str, str], LetterStep]] = {
    ("GET", "body"): LetterStep.RETRIEVAL,
    ("GET", "content"): LetterStep.RETRIEVAL,
    ("GET", "messages"): LetterStep.LISTING,
    ("GET", "paymentData"): LetterStep.RETRIEVAL,
    ("GET", "structuredData"): LetterStep.RETRIEVAL,
    ("HEAD", "messages"): LetterStep.LISTING,
    ("PATCH", "messageAction"): LetterStep.ACTION,
    ("POST", "linkEboxMessage"): LetterStep.CONSIGNMENT,
    ("POST", "messages"): LetterStep.SUBMISSION,
    ("POST", "publishMessage"): LetterStep.SUBMISSION,
    ("POST", "recipients"): LetterStep.CONSIGNMENT,
    ("POST", "search"): LetterStep.STATUS,
    ("POST", "searchMessageStatus"): LetterStep.STATUS,
}
_METHOD_STEPS: Final[Mapping[str, LetterStep]] = {
    "GET": LetterStep.CONSULTATION,
    "HEAD": LetterStep.CONSULTATION,  # of content too: its size and digest alone
    "PATCH": LetterStep.CHANGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """Things of one kind that happened to a letter: when first and last, and by which clients.

    The times are those that the entries give, in ISO 8601. `numbers` are those of the entries.
    """

    step: LetterStep
    first: str
    last: str
    clients: tuple[str, ...]  # in the order in which they came first
    numbers: tuple[int, ...]

    @property
    def count(self) -> int:
        """The number of times."""
        return len(self.numbers)


def tell_story(records: Iterable[Record], message_id: str) -> Sequence[StoryLine]:
    """Tell what happened to a letter, a line for each step, by when that happened first.

    Records come in the order of time, and all name the letter.
    """
    steps: dict[LetterStep, list[tuple[int, Mapping[str, Any]]]] = {}
    for record in records:
        members = read_members(record.text)
        step = find_step(members, message_id)
        steps.setdefault(step, []).append((record.number, members))
    return [_make_line(step, entries) for step, entries in steps.items()]


def find_step(members: Mapping[str, Any], message_id: str) -> LetterStep:
    """Find which step an entry with these members is, for the letter with this id."""
    url = _read_text(members, "API_CALL_REQUEST_URL").partition("?")[0]
    if url.startswith(_INTERNAL):
        operation = url.removeprefix(_INTERNAL)
        wing_step = _INTERNAL_STEPS.get(operation.partition("/")[0], LetterStep.OPERATOR)
        return _INTERNAL_STEPS.get(operation, wing_step)
    method, last = (
        _read_text(members, "API_CALL_REQUEST_METHOD"),
        url.rstrip("/").rpartition("/")[2],
    )
    if (method, last) == ("POST", "replies"):
        return _find_side_of_reply(members, message_id)
    return _CALL_STEPS.get((method, last), _METHOD_STEPS.get(method, LetterStep.OTHER))


def read_members(text: str) -> Mapping[str, Any]:
    """Read the members of an entry; none where somebody has made it something else."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _find_side_of_reply(members: Mapping[str, Any], message_id: str) -> LetterStep:
    """Tell the letter that is answered from the one that is the answer."""
    details = members.get("API_CALL_DETAILS")
    original = details.get("originalMessageId") if isinstance(details, dict) else None
    return LetterStep.REPLY if original == message_id else LetterStep.SUBMISSION


def _make_line(step: LetterStep, entries: Sequence[tuple[int, Mapping[str, Any]]]) -> StoryLine:
    times = [_read_text(members, "TIMESTAMP") for _, members in entries]
    clients = dict.fromkeys(_read_text(members, "CLIENT_ID") for _, members in entries)
    return StoryLine(
        step=step,
        first=times[0],
        last=times[-1],
        clients=tuple(clients),
        numbers=tuple(number for number, _ in entries),
    )


def _read_text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""
