"""Documents: their bytes, their digests, and the headers by which they travel."""

import base64
import hashlib
import re
from typing import Any, Final
from urllib.parse import urlsplit

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.requirement import (
    V3,
    WRITING,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import LIST, Message, Workbench, make_path

_HEADERS = "decision 6.28"
_RANGES = "RFC 9110 section 14"
_CONTENT_RANGE: Final = re.compile(r"bytes \d+-\d+/(\d+|\*)", re.ASCII)
_ENTITY_TAG: Final = re.compile(r'(W/)?"[^"]*"')


def find_document(bench: Workbench) -> tuple[Message, dict[str, Any]]:
    """Find a document that may be opened: of a message that is read, unless leave is given."""
    for message in bench.get_some_messages():
        for attachment in message["attachments"]["items"]:
            is_harmless = message[bench.dialect.is_read] or not attachment[bench.dialect.is_main]
            if is_harmless or bench.may_read:
                return message, attachment
    raise Untestable("No document may be opened without a message being read: see --may-read.")


def make_content_path(message: Message, attachment: dict[str, Any]) -> str:
    """Make the path of a document below the base."""
    segments = (message["messageId"], "attachments", attachment["attachmentId"], "content")
    return LIST + make_path(*segments)


def download_document(bench: Workbench, **headers: str) -> Exchange:
    """Download a document with more headers; their names have underscores."""
    wire_headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return bench.ask("GET", make_content_path(*find_document(bench)), headers=wire_headers)


@requires(
    "document-digest",
    source="contract 2.3, 4.10: SHA-256 in base64url",
    mend="Show the digest of the bytes that are handed out: base64url, not hexadecimal.",
)
def show_true_digests(bench: Workbench) -> None:
    """The bytes of a document are those that its digest says."""
    message, attachment = find_document(bench)
    if "digest" not in attachment:
        raise Untestable("The document has no digest.")
    answer = bench.ask("GET", make_content_path(message, attachment)).expect_status(200)
    digest = base64.urlsafe_b64encode(hashlib.sha256(answer.body).digest()).decode()
    same = attachment["digest"]["digestValue"].rstrip("=") == digest.rstrip("=")
    expect(same or not answer.is_whole, "The digest is not that of the bytes.")


@requires(
    "document-size",
    source="contract 2.3, 6.41: size in kilobytes of 1,024 bytes",
    mend="Give the size in kilobytes, as a number with decimals.",
    obligation=Obligation.SHOULD,
)
def show_true_sizes(bench: Workbench) -> None:
    """The size of a document is that of its bytes, in kilobytes."""
    message, attachment = find_document(bench)
    size = len(bench.ask("GET", make_content_path(message, attachment)).expect_status(200).body)
    difference = abs(attachment["size"] - size / 1024)
    close = difference <= max(0.06, size / 1024 * 0.03)  # 1,000 bytes would be 2.4 % beside it
    expect(close, f"A document of {size} bytes has the size {attachment['size']}.")


@requires(
    "document-href",
    source="contract 2.3: contentHref is where the content is",
    mend="Write contentHref from the address by which clients know the registry.",
)
def link_to_content(bench: Workbench) -> None:
    """contentHref leads to the document, at the address that was called."""
    _, attachment = find_document(bench)
    href = str(attachment["contentHref"])
    expect(urlsplit(href).scheme, "contentHref is no absolute URL.")
    outside = "contentHref leads to another address than the one that was called."
    expect(href.startswith(f"{bench.target.base}/"), outside)
    bench.ask("GET", href).expect_status(200)


@requires(
    "attachments-alone",
    source="contract 1.3, operations 4 and 5",
    mend="Show attachments by their own paths as in the message.",
)
def show_attachments_alone(bench: Workbench) -> None:
    """Attachments by their own paths are those of the message."""
    message, attachment = find_document(bench)
    path = f"{LIST}/{message['messageId']}/attachments"
    attachments = bench.get(path).expect_status(200).members()
    expect(
        attachments["items"] == message["attachments"]["items"], "The list of attachments differs."
    )
    alone = bench.get(path + make_path(attachment["attachmentId"])).expect_status(200).members()
    expect(alone == attachment, "An attachment by its own path differs.")


@requires(
    "document-media-type",
    source="contract 1.3 (2.1): application/octet-stream; decision 6.28: v3 the type itself",
    mend="Send the media type of the attachment in version 3, application/octet-stream in 2.1.",
    obligation=Obligation.SHOULD,
)
def send_media_type(bench: Workbench) -> None:
    """A document is sent with its media type."""
    _, attachment = find_document(bench)
    own = attachment["mediaType"] if bench.target.version == V3 else "application/octet-stream"
    media_type = download_document(bench).expect_status(200).media_type
    expect(
        media_type in (own, "application/octet-stream"),
        f"{media_type or 'No media type'} instead of {own}.",
    )


@requires(
    "document-accept",
    source="decision 6.28: Accept never refuses bytes",
    mend="Do not answer 406 for documents: old clients ask for JSON by habit.",
    obligation=Obligation.SHOULD,
)
def send_whatever_is_accepted(bench: Workbench) -> None:
    """A document is sent whatever the client says it accepts."""
    download_document(bench, Accept="application/json").expect_status(200)


@requires(
    "document-disposition",
    source=f"{_HEADERS}; RFC 6266",
    mend="Send Content-Disposition: attachment with filename= and filename*=UTF-8''….",
    obligation=Obligation.SHOULD,
)
def send_as_attachment(bench: Workbench) -> None:
    """A document is sent as an attachment with its file name, never to be shown inline."""
    text = download_document(bench).expect_status(200).header("Content-Disposition")
    expect(text.lower().startswith("attachment"), "Content-Disposition is not attachment.")
    expect("filename" in text.lower(), "Content-Disposition names no file.")


@requires(
    "document-nosniff",
    source=f"{_HEADERS}; WHATWG Fetch: X-Content-Type-Options",
    mend="Send X-Content-Type-Options: nosniff: a document comes from strangers.",
    obligation=Obligation.SHOULD,
)
def forbid_sniffing(bench: Workbench) -> None:
    """Browsers are told not to guess what a document is."""
    text = download_document(bench).expect_status(200).header("X-Content-Type-Options")
    expect(text.strip().lower() == "nosniff", "X-Content-Type-Options is not nosniff.")


@requires(
    "range-part",
    source=_RANGES,
    mend="Answer one range with 206, Content-Range and these bytes alone.",
    obligation=Obligation.SHOULD,
)
def send_range(bench: Workbench) -> None:
    """A range of bytes is answered with 206 and those bytes."""
    whole = download_document(bench).expect_status(200).body
    for text, part in (("0-9", whole[:10]), ("5-", whole[5:]), ("-7", whole[-7:])):
        answer = download_document(bench, Range=f"bytes={text}").expect_status(206)
        expect(answer.body == part, f"bytes={text} gives other bytes.")
        right = _CONTENT_RANGE.fullmatch(answer.header("Content-Range"))
        expect(right, "A 206 has no Content-Range.")


@requires(
    "range-impossible",
    source=f"{_RANGES}.2, 15.5.17",
    mend="Answer a range that begins behind the end with 416, and Content-Range: bytes */SIZE.",
    obligation=Obligation.SHOULD,
)
def refuse_impossible_range(bench: Workbench) -> None:
    """A range behind the end of the document is answered with 416."""
    answer = download_document(bench, Range="bytes=99999999999-").expect_status(416)
    length_header = answer.header("Content-Range").startswith("bytes */")
    expect(length_header, "A 416 does not say how long the document is.")


@requires(
    "range-malformed",
    source=f"{_RANGES}.2: a Range that is not understood is ignored",
    mend="Ignore units other than bytes and ranges that are none.",
)
def ignore_malformed_range(bench: Workbench) -> None:
    """A range that is not understood is ignored."""
    for text in ("lines=1-2", "bytes=b-a"):
        download_document(bench, Range=text).expect_status(200)


@requires(
    "range-if-range",
    source="RFC 9110 section 13.1.5",
    mend="Compare If-Range with the ETag, strongly; send the whole where they differ.",
)
def send_whole_when_changed(bench: Workbench) -> None:
    """With the ETag of something else in If-Range the whole document is sent."""
    answer = download_document(bench, Range="bytes=0-3", If_Range='"another"')
    answer.expect_status(200)


@requires(
    "document-validator",
    source=f"{_HEADERS}: ETag; RFC 9110 section 13.1.2",
    mend="Send the digest as ETag, and 304 to whoever has it already.",
    obligation=Obligation.SHOULD,
)
def validate_documents(bench: Workbench) -> None:
    """A document has an ETag, and is not sent again to whoever holds it."""
    tag = download_document(bench).expect_status(200).header("ETag")
    expect(_ENTITY_TAG.fullmatch(tag), "A document has no ETag in quotes.")
    answer = download_document(bench, If_None_Match=tag).expect_status(304)
    expect(not answer.body, "A 304 has a body.")


@requires(
    "document-head",
    source="RFC 9110 section 9.3.2",
    mend="Answer HEAD as GET, without the body.",
    obligation=Obligation.SHOULD,
)
def answer_head(bench: Workbench) -> None:
    """HEAD of a document says what GET would."""
    path = make_content_path(*find_document(bench))
    length = len(bench.ask("GET", path).expect_status(200).body)
    answer = bench.ask("HEAD", path).expect_status(200)
    expect(not answer.body, "An answer to HEAD has a body.")
    length_header = answer.header("Content-Length")
    expect(length_header in ("", str(length)), "HEAD tells another Content-Length than GET has.")


@requires(
    "document-as-published",
    source="contract 1.1: download of attachment content",
    mend="Store and hand out the bytes as they came.",
    roles=(Role.READER, Role.SENDER),
    profiles=WRITING,
)
def hand_out_what_was_published(bench: Workbench) -> None:
    """A document arrives byte by byte as it was published."""
    letter = bench.post_office.get_letter("read")
    message = bench.get(letter.path).expect_status(200).members()
    attachment = message["attachments"]["items"][0]
    answer = bench.ask("GET", make_content_path(message, attachment)).expect_status(200)
    expect(answer.body == letter.papers[0].content, "The bytes are not those that were published.")
