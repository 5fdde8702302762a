"""Publications that must be refused, with the codes that senders know."""

import json
from typing import Any, Final

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.letters.papers import Paper, make_annex, make_main
from registry.conformance.letters.post_office import make_mark
from registry.conformance.requirement import (
    CITIZEN,
    V3,
    WRITING,
    Obligation,
    Role,
    Unmet,
    requires,
)
from registry.conformance.workbench import Workbench

_SENDER: Final = (Role.SENDER, Role.READER)
_FAQ: Final = "contract 5 (FAQ)"


def refuse_publication(
    bench: Workbench, papers: tuple[Paper, ...], code: str | None = None, **changes: Any
) -> Exchange:
    """Publish what must be refused with 400; raises `Unmet` for another answer or code."""
    message = bench.post_office.make_message(make_mark(), papers, **changes)
    answer = bench.post_office.post(message, papers).expect_status(400)
    if code is not None:
        _expect_code(answer, code)
    return answer


def _expect_code(answer: Exchange, code: str) -> None:
    """Look for the code at the top, and in the issues of a problem."""
    members = answer.members()
    codes = {members.get("code")} | {issue.get("code") for issue in members.get("issues", ())}
    if code not in codes:
        raise Unmet(f"The code is not {code}.")


@requires(
    "main-missing",
    source=f"{_FAQ}: no main content attachment; 4.9",
    mend="Require exactly one main content over documents and body.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_without_main(bench: Workbench) -> None:
    """A publication without a main content is refused with INVALID_INPUT."""
    refuse_publication(bench, (make_annex(make_mark()),), "INVALID_INPUT")


@requires(
    "main-twice",
    source=f"{_FAQ}: too many main content; 4.9",
    mend="Require exactly one main content over documents and body.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_two_mains(bench: Workbench) -> None:
    """A publication with two main contents is refused with INVALID_INPUT."""
    mark = make_mark()
    refuse_publication(bench, (make_main(mark), make_annex(mark, is_main=True)), "INVALID_INPUT")


@requires(
    "parts-surplus",
    source=f"{_FAQ}: attachments and parts inconsistent in number",
    mend="Refuse a document that no entry names.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_surplus_part(bench: Workbench) -> None:
    """A document that no attachment names is refused with INVALID_INPUT."""
    mark = make_mark()
    main = make_main(mark)
    papers, entries = (main, make_annex(mark)), [main.announce(bench.dialect)]
    refuse_publication(bench, papers, "INVALID_INPUT", attachments=entries)


@requires(
    "parts-missing",
    source=f"{_FAQ}: attachment info that matches no part",
    mend="Refuse an entry whose document did not come.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_missing_part(bench: Workbench) -> None:
    """An attachment whose document did not come is refused with INVALID_INPUT."""
    mark = make_mark()
    main, annex = make_main(mark), make_annex(mark)
    entries = [main.announce(bench.dialect), annex.announce(bench.dialect)]
    refuse_publication(bench, (main,), "INVALID_INPUT", attachments=entries)


@requires(
    "parts-file-name",
    source=f"{_FAQ}: missing mediaType or fileName in part",
    mend="Require a file name of every document.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_part_without_file_name(bench: Workbench) -> None:
    """A document without a file name is refused."""
    refuse_publication(bench, (make_main(make_mark(), file_name=None),))


@requires(
    "media-type-unknown",
    source=f"{_FAQ}: mime type is not valid; 4.8",
    mend="Take the fifteen media types of the contract alone.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_unknown_media_type(bench: Workbench) -> None:
    """A program is refused with INVALID_INPUT, as is what is none of the fifteen types."""
    program = make_main(
        make_mark(), content=b"MZ\x90\x00", file_name="a.exe", media_type="application/x-msdownload"
    )
    refuse_publication(bench, (program,), "INVALID_INPUT")


@requires(
    "media-type-lie",
    source="OWASP ASVS 12.2.1: the type of a file is that of its content",
    mend="Look at the first bytes of each document.",
    roles=_SENDER,
    profiles=WRITING,
    obligation=Obligation.SHOULD,
)
def refuse_lying_media_type(bench: Workbench) -> None:
    """A program that calls itself a PDF is refused."""
    refuse_publication(bench, (make_main(make_mark(), content=b"MZ\x90\x00" + bytes(200)),))


@requires(
    "sender-other",
    source=f"{_FAQ}: INVALID_SENDER when the number differs from the token's enterprise",
    mend="Compare the sender with the enterprise of the token.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_other_sender(bench: Workbench) -> None:
    """A publication in the name of another enterprise is refused with INVALID_SENDER."""
    sender = bench.dialect.make_sender("0206731645")
    refuse_publication(bench, (make_main(make_mark()),), "INVALID_SENDER", **sender)


@requires(
    "sender-configuration",
    source=f"{_FAQ}: INVALID_SENDER, application and type not authorised together; decision 6.39",
    mend="Refuse types and applications that the sender may not use.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_unknown_configuration(bench: Workbench) -> None:
    """A type, or an application, that the sender does not have is refused with INVALID_SENDER."""
    for name in ("messageTypeId", "senderApplicationId"):
        changes = {name: "nobody-has-this"}
        refuse_publication(bench, (make_main(make_mark()),), "INVALID_SENDER", **changes)


@requires(
    "recipient-wrong",
    source=f"{_FAQ}: INVALID_INPUT, is not a valid company",
    mend="Check the form of the recipient's number.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_wrong_recipient(bench: Workbench) -> None:
    """A recipient whose number cannot be is refused with INVALID_INPUT."""
    recipient = bench.dialect.make_recipient(bench.target.family, "123")
    refuse_publication(bench, (make_main(make_mark()),), "INVALID_INPUT", recipient=recipient)


@requires(
    "message-missing",
    source="contract 1.3 operation 19: messageToPublish",
    mend="Refuse a body without messageToPublish with 400, and keep nothing of it.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_without_message(bench: Workbench) -> None:
    """A body without messageToPublish, or with one that is no JSON, is refused with 400."""
    papers = (make_main(make_mark()),)
    for message in (None, b"{", b"[]"):
        bench.post_office.post(message, papers).expect_status(400)


@requires(
    "message-incomplete",
    source=f"{_FAQ}: required keys not found; 2.1",
    mend="Require recipient and subject.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_incomplete_message(bench: Workbench) -> None:
    """A publication without subject, or without recipient, is refused with 400."""
    for name in ("subject", "recipient"):
        changes = {name: None}
        refuse_publication(bench, (make_main(make_mark()),), **changes)


@requires(
    "message-null",
    source="contract 4.9 (YS): no null values, omit the property",
    mend="Refuse null.",
    roles=_SENDER,
    profiles=WRITING,
    versions=frozenset({V3}),
    obligation=Obligation.SHOULD,
)
def refuse_null(bench: Workbench) -> None:
    """A member that is null is refused with 400."""
    papers = (make_main(make_mark()),)
    message = bench.post_office.make_message(make_mark(), papers)
    content = json.dumps({**message, "bodyContent": None}).encode()
    bench.post_office.post(content, papers).expect_status(400)


@requires(
    "limit-subject",
    source="contract 4.9 (YS): a subject of 400 characters at most",
    mend="Take subjects up to 400 characters, and refuse longer ones with 400.",
    roles=_SENDER,
    profiles=WRITING,
    obligation=Obligation.SHOULD,
)
def limit_subject(bench: Workbench) -> None:
    """A subject of 400 characters is taken, one of 401 is refused."""
    mark = make_mark()
    papers = (make_main(mark),)
    message = bench.post_office.make_message(mark, papers, subject={"nl": mark.ljust(400, "x")})
    bench.post_office.post(message, papers).expect_status(200, 201)
    refuse_publication(bench, (make_main(mark),), subject={"nl": mark.ljust(401, "x")})


@requires(
    "limit-label",
    source="contract 2.1 (MIG, YS): a label of forTheAttentionOf of 100 characters at most",
    mend="Refuse labels of more than 100 characters with 400.",
    roles=_SENDER,
    profiles=WRITING,
    obligation=Obligation.SHOULD,
)
def limit_label(bench: Workbench) -> None:
    """An addressee of 101 characters is refused."""
    attention = {bench.dialect.attention_label: "x" * 101}
    refuse_publication(bench, (make_main(make_mark()),), forTheAttentionOf=attention)


@requires(
    "recipient-type",
    source="contract 2.1: eboxType is enterprise or citizen",
    mend="Refuse kinds of e-Boxes that there are not.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_unknown_ebox_type(bench: Workbench) -> None:
    """A recipient of a kind that there is not is refused with 400."""
    recipient = bench.dialect.make_recipient(CITIZEN, "01092399676")
    recipient["eboxType"] = "association"
    refuse_publication(bench, (make_main(make_mark()),), recipient=recipient)
