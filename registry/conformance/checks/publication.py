"""Publications: what is taken, and what becomes of it."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from registry.conformance.letters.papers import make_annex, make_main
from registry.conformance.letters.post_office import make_mark
from registry.conformance.requirement import (
    V3,
    WRITING,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import Workbench

_LETTERS: Final = (Role.READER, Role.SENDER)
_SENDER: Final = (Role.SENDER, Role.READER)
_A_MINUTE: Final = timedelta(minutes=1)


@requires(
    "publish-receipt",
    source="contract 1.3 operation 19 (DSND, 2.1): 201 with messageId and expirationDate",
    mend="Answer a publication with 201 and the receipt.",
    roles=_SENDER,
    profiles=WRITING,
)
def give_receipt(bench: Workbench) -> None:
    """A publication is answered with 201, the id of the message and when it expires."""
    receipt = bench.post_office.get_letter("plain").receipt
    receipt.expect_status(201)
    members = receipt.members()
    expect(members.get("messageId"), "The receipt has no messageId.")
    expect(members.get("expirationDate"), "The receipt has no expirationDate.")


@requires(
    "publish-arrives",
    source="contract 4.1, 4.4, 4.15: listed first, unread, visible",
    mend="Show a message as soon as its receipt is given: first of the list, unread and visible.",
    roles=_LETTERS,
    profiles=WRITING,
)
def show_what_arrived(bench: Workbench) -> None:
    """A letter is in the recipient's e-Box at once: unread, visible, as it was given."""
    letter, dialect = bench.post_office.publish(), bench.dialect
    page = bench.list_messages(pageSize=5)
    expect(letter.message_id in page.ids, "It is not among the first five of the list.")
    message = page.items[page.ids.index(letter.message_id)]
    expect(message[dialect.is_read] is False, "It is read before anybody opened it.")
    expect(message.get(dialect.is_visible, True) is True, "It is hidden before anybody hid it.")
    expect(letter.mark in message["subject"]["nl"], "Its subject is another one.")
    sender = bench.find_party(Role.SENDER)
    expect(message["messageTypeId"] == sender.message_type, "Its type is another one.")
    number = dialect.read_sender(message)
    expect(not sender.number or number == sender.number, "Its sender is another one.")


@requires(
    "publish-expiry",
    source="contract 4.5: expirationDate is publication + validityPeriod of the message type",
    mend="Compute expirationDate by the message type, whatever the sender asks for.",
    roles=_LETTERS,
    profiles=WRITING,
)
def expire_by_type(bench: Workbench) -> None:
    """A message expires when its type says."""
    letter = bench.post_office.get_letter("plain")
    kind = bench.find_party(Role.SENDER).message_type
    answer = bench.get(f"{bench.dialect.reference}/messageTypes/{kind}").expect_status(200)
    period = answer.members().get("validityPeriod")
    if not period:
        raise Untestable("The message type has no validityPeriod.")
    message = bench.get(letter.path).expect_status(200).members()
    receipt_date, expires = (
        datetime.fromisoformat(message[name]) for name in ("receiptDate", "expirationDate")
    )
    shortest, longest = _estimate_days(period)
    fits = timedelta(days=shortest) <= expires - receipt_date + _A_MINUTE + timedelta(days=1)
    fits = fits and expires - receipt_date <= timedelta(days=longest + 1)
    expect(fits, "expirationDate is not the validity period after receiptDate.")


def _estimate_days(period: dict[str, Any]) -> tuple[int, int]:
    number = int(period["validityPeriodNumber"])
    shortest, longest = {"day": (1, 1), "month": (28, 31), "year": (365, 366)}[
        period["validityPeriodUnit"]
    ]
    return number * shortest, number * longest


@requires(
    "publish-expiry-ignored",
    source="contract 2.1 (YS): expirationDate is there, and ignored",
    mend="Accept expirationDate in a publication, and do not use it.",
    roles=_SENDER,
    profiles=WRITING,
    obligation=Obligation.MAY,
)
def ignore_wish_for_expiry(bench: Workbench) -> None:
    """The sender's expirationDate is taken and not used."""
    wish = "2031-01-01T00:00:00+01:00"
    plain = bench.post_office.get_letter("plain").receipt.members()["expirationDate"]
    letter = bench.post_office.publish(expirationDate=wish)
    own = datetime.fromisoformat(letter.receipt.members()["expirationDate"])
    close = abs(own - datetime.fromisoformat(plain)) < timedelta(days=2)
    expect(close, "The sender's expirationDate was used.")


@requires(
    "publish-without-documents",
    source="contract 2.1: bodyContent; 4.4: the body can be the main content",
    mend="Take a message whose main content is its body, without documents.",
    roles=_LETTERS,
    profiles=WRITING,
)
def take_body_alone(bench: Workbench) -> None:
    """A message may be a body alone."""
    body = {"bodyContent": {"nl": "Een tekst"}, bench.dialect.is_body_main: True}
    letter = bench.post_office.publish(papers=(), **body)
    message = bench.get(letter.path).expect_status(200).members()
    expect(message["attachments"]["totalItems"] == 0, "It has documents that nobody published.")
    content = bench.get(f"{letter.path}/body").expect_status(200).members()
    expect(content["nl"] == "Een tekst", "The body is another one.")


@requires(
    "publish-two-documents",
    source="contract 4.9: exactly one main content; 4.24: a message with 2 documents",
    mend="Keep all documents, in their order, and which of them is the main one.",
    roles=_LETTERS,
    profiles=WRITING,
)
def keep_all_documents(bench: Workbench) -> None:
    """All documents of a message are there, and one of them is main."""
    letter = bench.post_office.get_standard_letter()
    items = bench.get(letter.path).expect_status(200).members()["attachments"]["items"]
    expect(len(items) == 2, f"There are {len(items)} documents, not 2.")
    mains = [item[bench.dialect.is_main] for item in items]
    expect(mains == [True, False], "It is another document that is main.")
    ids = {item["attachmentId"] for item in items}
    expect(len(ids) == 2, "Two documents have the same id.")


@requires(
    "publish-parts-order",
    source="contract 4.10 (DOC21): parts in any order; messageToPublish can be last",
    mend="Read the whole body before pairing documents with their entries.",
    roles=_SENDER,
    profiles=WRITING,
)
def take_parts_in_any_order(bench: Workbench) -> None:
    """messageToPublish may come after the documents, for digests may be known only then."""
    mark = make_mark()
    papers = (make_annex(mark), make_main(mark))
    message = bench.post_office.make_message(mark, papers)
    bench.post_office.post(message, papers, message_last=True).expect_status(200, 201)


@requires(
    "publish-parts-names",
    source="contract 1.3 (DSND): names of parts are the sender's, tied by httpPartName",
    mend="Tie parts by httpPartName, whatever they are called.",
    roles=_LETTERS,
    profiles=WRITING,
    versions=frozenset({V3}),
)
def take_any_name_of_parts(bench: Workbench) -> None:
    """Parts of documents may have any name."""
    mark = make_mark()
    papers = (make_main(mark, part="de brief"), make_annex(mark, part="bijlage-1"))
    letter = bench.post_office.publish(papers=papers)
    items = bench.get(letter.path).expect_status(200).members()["attachments"]["items"]
    expect(len(items) == 2, f"There are {len(items)} documents, not 2.")


@requires(
    "publish-trailing-slash",
    source="contract 1.3 (PM3): the official examples post to /ebox/messages/",
    mend="Take POST /ebox/messages/ as without the slash, without a redirect.",
    roles=_SENDER,
    profiles=WRITING,
    versions=frozenset({V3}),
)
def take_trailing_slash_of_senders(bench: Workbench) -> None:
    """A publication is taken with a slash at the end of its path, too."""
    mark = make_mark()
    papers, path = (make_main(mark),), f"{bench.dialect.publication}/"
    message = bench.post_office.make_message(mark, papers)
    bench.post_office.post(message, papers, path=path).expect_status(200, 201)


@requires(
    "publish-key-missing",
    source="contract 4.11: a missing Idempotency-Key means no check",
    mend="Take publications without Idempotency-Key.",
    roles=_SENDER,
    profiles=WRITING,
)
def take_without_key(bench: Workbench) -> None:
    """A publication without Idempotency-Key is taken, and again."""
    mark = make_mark()
    papers = (make_main(mark),)
    message = bench.post_office.make_message(mark, papers)
    for _ in range(2):
        bench.post_office.post(message, papers).expect_status(200, 201)


@requires(
    "idempotency-same",
    source="contract 4.11 (DSND): the same key of the same sender and application is 409",
    mend="Keep the keys with the messages, and look before anything is stored.",
    roles=_LETTERS,
    profiles=WRITING,
)
def refuse_same_key(bench: Workbench) -> None:
    """An Idempotency-Key that comes again is answered with 409, and publishes nothing."""
    mark, key = make_mark(), str(uuid4())
    papers = (make_main(mark),)
    message = bench.post_office.make_message(mark, papers)
    bench.post_office.post(message, papers, key=key).expect_status(200, 201)
    bench.post_office.post(message, papers, key=key).expect_status(409)
    page = bench.list_messages(q=mark, qlang="nl")
    expect(page.total == 1, f"{page.total} messages came of it, not one.")


@requires(
    "idempotency-other-content",
    source="contract 4.11 (DSND, YS): 409 even if the payload differs",
    mend="Compare the key alone, not what is published with it.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_same_key_of_other_content(bench: Workbench) -> None:
    """An Idempotency-Key that comes again with another message is answered with 409."""
    key = str(uuid4())
    for status in ((200, 201), (409,)):
        mark = make_mark()
        papers = (make_main(mark),)
        message = bench.post_office.make_message(mark, papers)
        bench.post_office.post(message, papers, key=key).expect_status(*status)


@requires(
    "idempotency-after-refusal",
    source="contract 4.11; IETF draft idempotency-key: what was refused may be sent again",
    mend="Keep a key only with the message that was published by it.",
    roles=_SENDER,
    profiles=WRITING,
)
def take_key_of_refused_publication(bench: Workbench) -> None:
    """The key of a publication that was refused can be used again."""
    mark, key = make_mark(), str(uuid4())
    papers = (make_main(mark),)
    wrong = bench.post_office.make_message(mark, papers, subject=None)
    right = bench.post_office.make_message(mark, papers)
    bench.post_office.post(wrong, papers, key=key).expect_status(400)
    bench.post_office.post(right, papers, key=key).expect_status(200, 201)
