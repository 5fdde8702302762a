"""The list: newest first, in pages that hold together."""

from datetime import datetime

from registry.conformance.requirement import WRITING, Obligation, Role, Untestable, expect, requires
from registry.conformance.workbench import LIST, Workbench


@requires(
    "order-newest-first",
    source="contract 4.1 (CONS): by publication date, newest first",
    mend="Sort by publication date, descending, with the id to break ties.",
)
def list_newest_first(bench: Workbench) -> None:
    """The list begins with the message that was published last."""
    moments = [datetime.fromisoformat(item["receiptDate"]) for item in bench.get_some_messages()]
    expect(moments == sorted(moments, reverse=True), "receiptDate does not descend along the list.")


@requires(
    "paging-default",
    source="contract 1.3 (2.1): page 1 and pageSize 25 by default",
    mend="Take page=1 and pageSize=25 where the query says nothing.",
)
def page_by_default(bench: Workbench) -> None:
    """Without parameters the list gives its first 25 messages."""
    page = bench.list_messages()
    first = bench.list_messages(page=1, pageSize=25)
    expect(page.ids == first.ids, "The list without parameters is not page 1 with pageSize 25.")
    expect(len(page.items) <= 25, f"A page has {len(page.items)} messages, not 25.")


@requires(
    "paging-size",
    source="contract 1.3 (2.1): pageSize, 1 to 100",
    mend="Give as many messages as pageSize says, as long as there are any.",
)
def page_by_size(bench: Workbench) -> None:
    """A page has as many messages as were asked for."""
    total = len(bench.get_some_messages())
    for size in (1, 2, 100):
        page = bench.list_messages(pageSize=size)
        count = min(size, total)
        expect(len(page.items) == count, f"pageSize={size}: {len(page.items)}, not {count}.")


@requires(
    "paging-complete",
    source="contract 1.3, 4.1; SCEN: pagination",
    mend="Have one total order over all pages, so that each message is on one page.",
)
def page_completely(bench: Workbench) -> None:
    """The pages together are the list: nothing twice, nothing left out."""
    everything = [item["messageId"] for item in bench.get_some_messages()]
    if len(everything) < 3:
        raise Untestable("The e-Box of the reader has fewer than three messages.")
    size = 2 if len(everything) < 12 else 5
    some = everything[: 4 * size]
    pages = [
        bench.list_messages(page=n + 1, pageSize=size).ids for n in range(-(-len(some) // size))
    ]
    together = [message_id for page in pages for message_id in page]
    expect(together[: len(some)] == some, f"Pages of {size} are not the list in pages of 100.")


@requires(
    "paging-total",
    source="contract 2.6: totalItems, whatever the page",
    mend="Count all messages that match, not those of the page.",
)
def count_all_pages(bench: Workbench) -> None:
    """totalItems counts all messages that match, on every page."""
    total = len(bench.get_some_messages())
    for number, size in ((1, 1), (2, 1), (1, 100)):
        page = bench.list_messages(page=number, pageSize=size)
        expect(page.total == total, f"totalItems is {page.total} where there are {total} messages.")


@requires(
    "paging-beyond",
    source="contract 4.2: nothing matches is an empty list, no error",
    mend="Answer a page behind the last with an empty list.",
)
def page_beyond_the_last(bench: Workbench) -> None:
    """A page behind the last is empty."""
    page = bench.list_messages(page=100_000, pageSize=100)
    expect(not page.items, "A page behind the last has messages.")


@requires(
    "paging-bounds",
    source="contract 1.3, 4.2: 400 for parameters of the wrong form",
    mend="Refuse page below 1, pageSize outside 1 to 100, and what is no number, with 400.",
)
def refuse_pages_out_of_bounds(bench: Workbench) -> None:
    """Pages and sizes that cannot be are answered with 400."""
    for name, text in (("page", "0"), ("page", "x"), ("pageSize", "0"), ("pageSize", "101")):
        bench.get(LIST, Role.READER, **{name: text}).expect_status(400)


@requires(
    "list-embeds-attachments",
    source="contract 1.3: the portal relies on the list instead of sub-resources",
    mend="Put all attachments of a message into the list, and the message whole.",
)
def embed_attachments(bench: Workbench) -> None:
    """Each message of the list has all its attachments with it."""
    for message in bench.get_some_messages():
        attachments = message["attachments"]
        whole = attachments["totalItems"] == len(attachments["items"])
        expect(whole, "A message of the list has fewer attachments than totalItems says.")


@requires(
    "list-as-detail",
    source="contract 1.3: each item of the list is a full message",
    mend="Show a message by the same code in the list and alone.",
)
def list_as_in_detail(bench: Workbench) -> None:
    """A message is the same in the list and by its own path."""
    for message in bench.get_some_messages()[:3]:
        detail = bench.get(f"{LIST}/{message['messageId']}").expect_status(200).members()
        names = sorted(
            name for name in {*message, *detail} if message.get(name) != detail.get(name)
        )
        expect(not names, f"The list and the detail differ in {', '.join(names[:3])}.")


@requires(
    "paging-while-arriving",
    source="contract 4.1; RFC 9110: the list is read while messages arrive",
    mend="Sort newest first with a total order: what arrives moves others to later pages only.",
    roles=(Role.READER, Role.SENDER),
    profiles=WRITING,
)
def page_while_messages_arrive(bench: Workbench) -> None:
    """Whoever turns the page while a message arrives misses none of those that were there."""
    before = bench.list_messages(pageSize=6).ids
    if len(before) < 6:
        raise Untestable("The e-Box of the reader has fewer than six messages.")
    first = bench.list_messages(pageSize=3).ids
    letter = bench.post_office.publish()
    bench.forget_messages()
    second = bench.list_messages(page=2, pageSize=3).ids
    newest = bench.list_messages(pageSize=1).ids
    expect(newest == [letter.message_id], "A message that has just arrived is not the first.")
    missing = set(before[:5]) - {*first, *second}
    expect(not missing, "A message was on no page while another one arrived.")


@requires(
    "list-trailing-slash",
    source="contract 1.3, decision 6.43 (PM3): the official examples write a slash",
    mend="Read /ebox/messages/ as /ebox/messages, without a redirect.",
    obligation=Obligation.SHOULD,
)
def take_trailing_slash(bench: Workbench) -> None:
    """The list answers with a slash at the end of its path, too."""
    page = bench.get(f"{LIST}/", pageSize=1).expect_status(200)
    same = page.json() == bench.get(LIST, pageSize=1).json()
    expect(same, "The list with a slash at its end is another one.")
