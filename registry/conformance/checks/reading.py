"""The read status: its causes, and all that is none."""

from typing import Any

from registry.conformance.checks.documents import make_content_path
from registry.conformance.exchange.request_body import make_json_body
from registry.conformance.letters.papers import make_annex, make_main
from registry.conformance.letters.post_office import make_mark
from registry.conformance.requirement import WRITING, Role, expect, requires
from registry.conformance.workbench import LIST, Message, Workbench

_SOURCE = "contract 4.4 (2.1): read as soon as one main content is consulted"
_LETTERS = (Role.READER, Role.SENDER)


def _look(bench: Workbench, message_id: str) -> Message:
    return bench.get(f"{LIST}/{message_id}").expect_status(200).members()


def _is_read(bench: Workbench, message_id: str) -> bool:
    return bool(_look(bench, message_id)[bench.dialect.is_read])


@requires(
    "read-by-nothing-else",
    source=f"{_SOURCE}; nothing says that metadata or an annex mark it",
    mend="Set the read status nowhere but where a main content is handed out.",
    roles=_LETTERS,
    profiles=WRITING,
)
def leave_unread(bench: Workbench) -> None:
    """List, detail, attachments, an annex and a body that is not main leave a message unread."""
    mark = make_mark()
    papers = (make_main(mark), make_annex(mark))
    letter = bench.post_office.publish(papers=papers, bodyContent={"nl": "Een tekst"})
    bench.list_messages(pageSize=5)
    message = _look(bench, letter.message_id)
    expect(message[bench.dialect.is_read] is False, "A message that has just arrived is read.")
    for attachment in message["attachments"]["items"]:
        bench.get(f"{letter.path}/attachments/{attachment['attachmentId']}").expect_status(200)
        if not attachment[bench.dialect.is_main]:
            bench.ask("GET", make_content_path(message, attachment)).expect_status(200)
    bench.get(f"{letter.path}/body")
    expect(not _is_read(bench, letter.message_id), "It is read without its main content.")


@requires(
    "read-by-main-document",
    source=_SOURCE,
    mend="Mark the message as read when its main document is handed out, to software as well.",
    roles=_LETTERS,
    profiles=WRITING,
)
def mark_as_read(bench: Workbench) -> None:
    """The download of the main document marks the message as read."""
    letter = bench.post_office.publish()
    message = _look(bench, letter.message_id)
    main = message["attachments"]["items"][0]
    bench.ask("GET", make_content_path(message, main)).expect_status(200)
    expect(_is_read(bench, letter.message_id), "The main document was downloaded: still unread.")
    bench.forget_messages()


@requires(
    "read-by-main-body",
    source=_SOURCE,
    mend="Mark the message as read when a body that is the main content is handed out.",
    roles=_LETTERS,
    profiles=WRITING,
)
def mark_as_read_by_body(bench: Workbench) -> None:
    """A body that is the main content marks the message as read."""
    body = {"bodyContent": {"nl": "Een tekst"}, bench.dialect.is_body_main: True}
    letter = bench.post_office.publish(papers=(), **body)
    expect(not _is_read(bench, letter.message_id), "A message that has just arrived is read.")
    bench.get(f"{letter.path}/body").expect_status(200)
    expect(_is_read(bench, letter.message_id), "The main body was consulted: still unread.")
    bench.forget_messages()


@requires(
    "read-in-filter",
    source=f"{_SOURCE}; contract 1.3",
    mend="Have filter and message look at the same status, at once.",
    roles=_LETTERS,
    profiles=WRITING,
)
def filter_what_is_read(bench: Workbench) -> None:
    """A message that has been read is at once no longer among those that are unread."""
    letter = bench.post_office.publish()
    unread: dict[str, Any] = {bench.dialect.is_read: "false", "pageSize": 5}
    before = bench.list_messages(Role.READER, **unread).ids
    expect(letter.message_id in before, "A message that has just arrived is not among the unread.")
    message = _look(bench, letter.message_id)
    main = message["attachments"]["items"][0]
    bench.ask("GET", make_content_path(message, main)).expect_status(200)
    after = bench.list_messages(Role.READER, **unread).ids
    expect(letter.message_id not in after, "A message that was read is still among the unread.")
    bench.forget_messages()


@requires(
    "read-told-to-sender",
    source="contract 1.2, 1.3 operation 21: searchMessageStatus",
    mend="Tell the sender the same read status that the reader sees.",
    roles=_LETTERS,
    profiles=WRITING,
)
def tell_sender(bench: Workbench) -> None:
    """The sender sees by searchMessageStatus whether his message was read."""
    letter = bench.post_office.publish()
    status = _search_status(bench, letter.message_id)
    expect(status.get("readStatus") is False, "The status of an unread message is not false.")
    message = _look(bench, letter.message_id)
    main = message["attachments"]["items"][0]
    bench.ask("GET", make_content_path(message, main)).expect_status(200)
    status = _search_status(bench, letter.message_id)
    expect(status.get("readStatus") is True, "The status of a message that was read is not true.")
    bench.forget_messages()


def _search_status(bench: Workbench, message_id: str) -> Message:
    number = bench.read_reader_number()
    ebox = {"eboxType": bench.target.family, "eboxIdValue": number}
    question = [{"messageId": message_id, "eboxId": ebox}]
    body = make_json_body(question)
    answer = bench.ask("POST", "/searchMessageStatus", role=Role.SENDER, body=body)
    statuses = answer.expect_status(200, 201).json()
    expect(len(statuses) == 1, "The status of one message is not one status.")
    return dict(statuses[0])
