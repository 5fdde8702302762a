"""Replies, and the action that a message asks for."""

from typing import Final
from uuid import uuid4

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.request_body import MERGE_PATCH, make_json_body
from registry.conformance.letters.papers import make_main
from registry.conformance.letters.post_office import PublishedLetter, make_mark
from registry.conformance.requirement import (
    ENTERPRISE,
    V3,
    WRITING,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import LIST, Workbench

_LETTERS: Final = (Role.READER, Role.SENDER)
_V3: Final = frozenset({V3})
_SOURCE: Final = "contract 4.17 (CONS, PART); path inferred, decision 6.10"


def _reply(bench: Workbench, letter: PublishedLetter) -> Exchange:
    mark = make_mark()
    paper = make_main(mark)
    answer = {"subject": {"nl": f"Re {mark}"}, "attachments": [paper.announce(bench.dialect)]}
    return bench.post_office.post(
        answer, (paper,), key=str(uuid4()), role=Role.READER, path=f"{letter.path}/replies"
    )


@requires(
    "reply",
    source=_SOURCE,
    mend="Take a reply where isReplyAuthorized is true, and give a receipt.",
    roles=_LETTERS,
    profiles=WRITING,
    versions=_V3,
    families=frozenset({ENTERPRISE}),
    obligation=Obligation.SHOULD,
)
def take_reply(bench: Workbench) -> None:
    """A message that authorises replies can be replied to."""
    letter = bench.post_office.publish(papers=None, **{bench.dialect.is_reply_authorized: True})
    message = bench.get(letter.path).expect_status(200).members()
    is_authorized = message[bench.dialect.is_reply_authorized]
    expect(is_authorized is True, "isReplyAuthorized is not shown as it was published.")
    answer = _reply(bench, letter)
    if answer.status in (404, 405, 501):
        raise Untestable("The registry has no replies, which are optional.")
    expect(answer.expect_status(201).members().get("messageId"), "The receipt has no messageId.")


@requires(
    "reply-not-authorized",
    source=_SOURCE,
    mend="Refuse replies where isReplyAuthorized is false.",
    roles=_LETTERS,
    profiles=WRITING,
    versions=_V3,
    families=frozenset({ENTERPRISE}),
)
def refuse_reply(bench: Workbench) -> None:
    """A message that does not authorise replies cannot be replied to."""
    letter = bench.post_office.get_letter("plain")
    answer = _reply(bench, letter)
    expect(400 <= answer.status < 500, f"A reply that is not authorised gives {answer.status}.")


@requires(
    "action",
    source="contract 1.2 operation 10 (YS: execute is a PATCH), decision 6.11",
    mend="Show messageAction, and execute it once.",
    roles=_LETTERS,
    profiles=WRITING,
    versions=_V3,
    obligation=Obligation.MAY,
)
def execute_action(bench: Workbench) -> None:
    """An action can be executed, and again without a change."""
    action = {"messageActionId": "confirm", "label": {"nl": "Bevestig"}}
    letter = bench.post_office.publish(messageAction=action)
    path = f"{LIST}/{letter.message_id}/messageAction"
    dates = []
    for _ in range(2):
        body = make_json_body({"isExecuted": True}, MERGE_PATCH)
        answer = bench.ask("PATCH", path, body=body)
        if answer.status in (404, 405, 501):
            raise Untestable("The registry has no message actions, which are optional.")
        members = answer.expect_status(200).members()
        expect(members["isExecuted"] is True, "The action is not executed.")
        dates.append(members["executionDate"])
    expect(dates[0] == dates[1], "Executing it again changes when it was executed.")
    bench.forget_messages()
