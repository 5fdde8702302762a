"""Nobody learns anything of another e-Box, not even that there is something."""

import re
from typing import Final

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.requirement import WRITING, Obligation, Role, expect, requires
from registry.conformance.workbench import LIST, Workbench, read_page

_SOURCE = "decision 6.6; contract 4.16; OWASP API1:2023: the same answer for foreign and unknown"
_OTHERS = (Role.READER, Role.OTHER)
# What names an occurrence, or the moment.
_OCCURRENCE: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
_OF_THE_MOMENT: Final = frozenset(
    {"date", "age", "belgov-trace-id", "x-request-id", "content-length", "traceparent"}
)


def compare_refusals(foreign: Exchange, unknown: Exchange) -> None:
    """Raise `Unmet` when two answers differ in more than what names them."""
    foreign.expect_status(403, 404)
    expect(
        foreign.status == unknown.status,
        f"{foreign.status} for a message of somebody else, {unknown.status} for none.",
    )
    bodies = [_read_without_ids(answer) for answer in (foreign, unknown)]
    expect(bodies[0] == bodies[1], "The bodies of the two refusals differ.")
    names = [
        {name.lower() for name in answer.headers} - _OF_THE_MOMENT for answer in (foreign, unknown)
    ]
    expect(names[0] == names[1], "The two refusals have other headers.")


def _read_without_ids(answer: Exchange) -> str:
    """Read the body without what names the occurrence, or repeats what was asked for."""
    text = answer.body.decode("utf-8", "replace")
    message_id = answer.url.partition("/messages/")[2].partition("/")[0]
    return _OCCURRENCE.sub("", text.replace(message_id, "") if message_id else text)


def _compare_paths(bench: Workbench, ending: str) -> None:
    message_id = bench.get_some_messages()[0]["messageId"]
    foreign = bench.get(f"{LIST}/{message_id}{ending}", Role.OTHER)
    unknown = bench.get(f"{LIST}/{bench.nobodys_id}{ending}", Role.OTHER)
    compare_refusals(foreign, unknown)


@requires(
    "isolation-list",
    source="contract 4.16: who sees what",
    mend="Bind every query to the e-Box of the token, in the database too.",
    roles=_OTHERS,
)
def list_own_messages(bench: Workbench) -> None:
    """A list has no message of another e-Box."""
    own = {message["messageId"] for message in bench.get_some_messages()}
    answer = bench.get(LIST, Role.OTHER, pageSize=100).expect_status(200, 403)
    foreign = read_page(answer).ids if answer.status == 200 else []
    expect(not own & set(foreign), "A message of one e-Box is listed in another.")


@requires(
    "isolation-message",
    source=_SOURCE,
    mend="Look messages up by e-Box and id together; refuse what is not there in one place.",
    roles=_OTHERS,
)
def hide_foreign_message(bench: Workbench) -> None:
    """A message of somebody else is answered exactly as one that never was."""
    _compare_paths(bench, "")


@requires(
    "isolation-attachments",
    source=_SOURCE,
    mend="Look attachments up through the message, and that by its e-Box.",
    roles=_OTHERS,
)
def hide_foreign_attachments(bench: Workbench) -> None:
    """Attachments and body of somebody else's message are answered as those of none."""
    _compare_paths(bench, "/attachments")
    _compare_paths(bench, "/attachments/1")
    _compare_paths(bench, "/body")


@requires(
    "isolation-content",
    source=_SOURCE,
    mend="Look documents up through the message, and that by its e-Box.",
    roles=_OTHERS,
)
def hide_foreign_content(bench: Workbench) -> None:
    """A document of somebody else is answered exactly as one that never was."""
    _compare_paths(bench, "/attachments/1/content")


@requires(
    "isolation-change",
    source=_SOURCE,
    mend="Change messages by e-Box and id together.",
    roles=_OTHERS,
    profiles=WRITING,
)
def refuse_foreign_change(bench: Workbench) -> None:
    """A change of somebody else's message is answered as that of none, and changes nothing."""
    message = bench.get_some_messages()[0]
    visible = bench.dialect.is_visible
    answers = []
    for message_id in (message["messageId"], bench.nobodys_id):
        items = [{"messageId": message_id, visible: message[visible]}]
        answers.append(bench.patch_messages(items, Role.OTHER))
    compare_refusals(*answers)


@requires(
    "isolation-shape",
    source="decision 6.6: an id of a shape that no message has is answered as unknown",
    mend="Answer an id that is no UUID as one that is not there.",
    obligation=Obligation.MAY,
)
def answer_any_shape_alike(bench: Workbench) -> None:
    """An id of a shape that no message has is answered as one that never was."""
    unknown = bench.get(f"{LIST}/{bench.nobodys_id}")
    compare_refusals(bench.get(f"{LIST}/no-message-has-this"), unknown)


@requires(
    "unknown-message",
    source="contract 1.3: 404",
    mend="Answer a message that is not there with 404.",
)
def miss_unknown_message(bench: Workbench) -> None:
    """A message that never was is answered with 404."""
    for ending in ("", "/attachments", "/attachments/1/content"):
        bench.get(f"{LIST}/{bench.nobodys_id}{ending}").expect_status(404)
