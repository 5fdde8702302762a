"""The federation's consultation scenarios, on data that was prepared for them."""

from typing import Any, Final

from registry.conformance.checks.documents import make_content_path
from registry.conformance.requirement import (
    ENTERPRISE,
    V3,
    Obligation,
    Profile,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import LIST, Message, Workbench

_SCENARIOS: Final = frozenset({Profile.SCENARIOS})
_SOURCE: Final = "contract 4.24 (SCEN)"
_PERSON: Final = (Role.PERSON,)
_V3: Final = frozenset({V3})
_ENTERPRISE: Final = frozenset({ENTERPRISE})


def _list_partition(bench: Workbench, name: str) -> list[Message]:
    """List what a person sees in a partition; where there are none, the whole e-Box."""
    query: dict[str, Any] = {"pageSize": 100}
    if bench.target.version == V3 and bench.target.family == ENTERPRISE:
        query["partition"] = name
    return bench.list_messages(Role.PERSON, **query).items


def _list_main(bench: Workbench) -> list[Message]:
    return _list_partition(bench, bench.stock.main)


def _need(condition: object, text: str) -> None:
    if not condition:
        raise Untestable(f"To be prepared: {text}")


@requires(
    "scenario-pages",
    source=_SOURCE,
    mend="See order and paging.",
    roles=_PERSON,
    profiles=_SCENARIOS,
)
def turn_pages(bench: Workbench) -> None:
    """A person turns the pages of the list, of ten messages each.

    To be prepared: at least eleven messages in GENERAL, which the person may read.
    """
    _need(len(_list_main(bench)) >= 11, "at least eleven messages in GENERAL.")
    pages = [bench.list_messages(Role.PERSON, page=number, pageSize=10) for number in (1, 2)]
    expect(len(pages[0].items) == 10, "The first page has not ten messages.")
    expect(pages[1].items, "The second page is empty.")
    expect(not set(pages[0].ids) & set(pages[1].ids), "A message is on both pages.")


@requires(
    "scenario-document",
    source=_SOURCE,
    mend="See documents.",
    roles=_PERSON,
    profiles=_SCENARIOS,
)
def open_document(bench: Workbench) -> None:
    """A person looks at a message and downloads its document.

    To be prepared: a message in GENERAL with one document, which is its main content and has the
    id 1.
    """
    messages = [item for item in _list_main(bench) if item["attachments"]["totalItems"] == 1]
    with_id_1 = [
        item for item in messages if item["attachments"]["items"][0]["attachmentId"] == "1"
    ]
    _need(with_id_1, "a message with one document whose id is 1.")
    message = with_id_1[0]
    bench.get(f"{LIST}/{message['messageId']}", Role.PERSON).expect_status(200)
    path = make_content_path(message, message["attachments"]["items"][0])
    answer = bench.ask("GET", path, role=Role.PERSON).expect_status(200)
    expect(answer.body, "The document is empty.")
    after = bench.get(f"{LIST}/{message['messageId']}", Role.PERSON).members()
    expect(after[bench.dialect.is_read] is True, "The message is not read afterwards.")


@requires(
    "scenario-two-documents",
    source=f"{_SOURCE}; if several documents are supported",
    mend="See documents.",
    roles=_PERSON,
    profiles=_SCENARIOS,
    obligation=Obligation.MAY,
)
def open_both_documents(bench: Workbench) -> None:
    """A person downloads both documents of a message.

    To be prepared, where it is supported: a message in GENERAL with two documents.
    """
    messages = [item for item in _list_main(bench) if item["attachments"]["totalItems"] == 2]
    _need(messages, "a message with two documents.")
    for attachment in messages[0]["attachments"]["items"]:
        path = make_content_path(messages[0], attachment)
        bench.ask("GET", path, role=Role.PERSON).expect_status(200)


@requires(
    "scenario-search",
    source=_SOURCE,
    mend="See search.",
    roles=_PERSON,
    profiles=_SCENARIOS,
)
def search_title(bench: Workbench) -> None:
    """A person searches for a word of a title.

    To be prepared: a message in GENERAL with “test” in its title.
    """
    word = bench.stock.title
    messages = [item for item in _list_main(bench) if word in item["subject"]["nl"].lower()]
    _need(messages, f"a message with “{word}” in its title.")
    page = bench.list_messages(Role.PERSON, q=word.upper(), qlang="nl", pageSize=100)
    expect(messages[0]["messageId"] in page.ids, "The message is not found by a word of its title.")


@requires(
    "scenario-soon-expiring",
    source=f"{_SOURCE}, 2.7",
    mend="See statistics.",
    roles=_PERSON,
    profiles=_SCENARIOS,
    versions=_V3,
    obligation=Obligation.SHOULD,
)
def count_soon_expiring_message(bench: Workbench) -> None:
    """A message that soon expires is counted.

    To be prepared: an unread message in GENERAL that expires in less than fifteen days.
    """
    counts = bench.get("/ebox/statistics", Role.PERSON).expect_status(200).members()
    _need(counts["numberOfSoonExpiringMessages"] > 0, "an unread message that expires soon.")


@requires(
    "scenario-partition",
    source=_SOURCE,
    mend="See partitions.",
    roles=_PERSON,
    profiles=_SCENARIOS,
    versions=_V3,
    families=_ENTERPRISE,
)
def read_other_partition(bench: Workbench) -> None:
    """A person reads a message of another partition that he may read.

    To be prepared: partitionB, which the person may read, with a message in it.
    """
    messages = _list_partition(bench, bench.stock.readable)
    _need(messages, "a message in partitionB, which the person may read.")
    bench.get(f"{LIST}/{messages[0]['messageId']}", Role.PERSON).expect_status(200)


@requires(
    "scenario-no-access",
    source=_SOURCE,
    mend="See partitions.",
    roles=(Role.PERSON, Role.CONSUMER),
    profiles=_SCENARIOS,
    versions=_V3,
    families=_ENTERPRISE,
)
def refuse_locked_message(bench: Workbench) -> None:
    """A person is refused a message of a partition that he may not read, its document as well.

    To be prepared: partitionNoAccess, which the person may not read, with a message whose document
    has the id 1; software that reads the whole e-Box, to find the message.
    """
    name = bench.stock.no_access
    messages = bench.list_messages(Role.CONSUMER, partition=name, pageSize=100).items
    _need(messages, "a message in partitionNoAccess.")
    for ending in ("", "/attachments/1/content"):
        path = f"{LIST}/{messages[0]['messageId']}{ending}"
        bench.get(path, Role.PERSON).expect_status(403, 404)


@requires(
    "scenario-sent",
    source=f"{_SOURCE}; decision 6.27",
    mend="Let whoever may read the sender's partition read what was sent from it; do not list it.",
    roles=_PERSON,
    profiles=_SCENARIOS,
    versions=_V3,
    families=_ENTERPRISE,
)
def read_sent_message(bench: Workbench) -> None:
    """A person reads a message that his enterprise sent from a partition that he may read.

    To be prepared: a message that was sent from partitionB; its id is `sent_message` in the table
    [scenarios] of the callers' file.
    """
    message_id = bench.stock.sent_message
    _need(message_id, "a message sent from partitionB, its id as sent_message of [scenarios].")
    bench.get(f"{LIST}/{message_id}", Role.PERSON).expect_status(200)
    ids = [item["messageId"] for item in bench.walk_messages(Role.PERSON)]
    expect(message_id not in ids, "A message that was sent is in the list of those received.")


def _move(bench: Workbench, messages: list[Message], partition: str) -> None:
    items = [{"messageId": item["messageId"], "partition": partition} for item in messages]
    bench.patch_messages(items, Role.PERSON).expect_status(200, 204)
    for message in messages:
        answer = bench.get(f"{LIST}/{message['messageId']}", Role.PERSON).expect_status(200)
        new_partition = answer.members()["recipient"]["partition"]
        expect(new_partition == partition, "A message was moved, and is in another partition.")


@requires(
    "scenario-move",
    source=_SOURCE,
    mend="See changes.",
    roles=_PERSON,
    profiles=_SCENARIOS,
    versions=_V3,
    families=_ENTERPRISE,
)
def move_two_messages(bench: Workbench) -> None:
    """A person moves two messages to another partition, and back.

    To be prepared: two messages in GENERAL that may be moved.
    """
    stock = bench.stock
    messages = _list_main(bench)[-2:]
    _need(len(messages) == 2, "two messages in GENERAL that may be moved.")
    _move(bench, messages, stock.readable)
    _move(bench, messages, stock.main)


@requires(
    "scenario-empty-partition",
    source=_SOURCE,
    mend="See changes.",
    roles=_PERSON,
    profiles=_SCENARIOS,
    versions=_V3,
    families=_ENTERPRISE,
)
def empty_partition(bench: Workbench) -> None:
    """A person moves all messages out of a partition that is to be deleted, and back.

    To be prepared: partitionToDelete, which the person may read, with two messages in it.
    """
    stock = bench.stock
    messages = _list_partition(bench, stock.to_delete)
    _need(len(messages) >= 2, "two messages in partitionToDelete, which the person may read.")
    _move(bench, messages, stock.main)
    rest = _list_partition(bench, stock.to_delete)
    expect(not rest, "A partition has messages that were moved out of it.")
    _move(bench, messages, stock.to_delete)


@requires(
    "scenario-hide",
    source="contract 1.2 operation 2 (YS: consumers can change visibility)",
    mend="See changes.",
    roles=_PERSON,
    profiles=_SCENARIOS,
)
def hide_prepared_message(bench: Workbench) -> None:
    """A person puts a message out of sight, and back.

    To be prepared: a message that the person may read.
    """
    messages, visible = _list_main(bench), bench.dialect.is_visible
    _need(messages, "a message that the person may read.")
    message_id = messages[-1]["messageId"]
    for value in (False, True):
        items = [{"messageId": message_id, visible: value}]
        bench.patch_messages(items, Role.PERSON).expect_status(200, 204)
        message = bench.get(f"{LIST}/{message_id}", Role.PERSON).expect_status(200).members()
        expect(message[visible] is value, "The visibility is another one.")
