"""Names of files: kept as they were given, and harmless."""

from typing import Final
from urllib.parse import quote

from registry.conformance.checks.documents import make_content_path
from registry.conformance.letters.papers import make_main
from registry.conformance.letters.post_office import make_mark
from registry.conformance.requirement import WRITING, Obligation, Role, expect, requires
from registry.conformance.workbench import Message, Workbench

_LETTERS: Final = (Role.READER, Role.SENDER)


def _publish_named(bench: Workbench, file_name: str) -> Message:
    """Publish a document by this name, as it is sent; gives the message."""
    letter = bench.post_office.publish(papers=(make_main(make_mark(), file_name=file_name),))
    return bench.get(letter.path).expect_status(200).members()


def _read_name(message: Message) -> str:
    return str(message["attachments"]["items"][0]["fileName"])


@requires(
    "file-name-kept",
    source="contract 2.3: fileName as the sender gave it",
    mend="Keep the name, blanks and all.",
    roles=_LETTERS,
    profiles=WRITING,
)
def keep_file_name(bench: Workbench) -> None:
    """A file name is shown as it was given."""
    name = _read_name(_publish_named(bench, "Mijn brief (2).pdf"))
    expect(name == "Mijn brief (2).pdf", "The file name is another one.")


@requires(
    "file-name-encoded",
    source="contract 4.9 (YS): names outside ISO-8859-1 come percent-encoded, so decode them",
    mend="Decode names as encodeURIComponent writes them, once.",
    roles=_LETTERS,
    profiles=WRITING,
)
def decode_file_name(bench: Workbench) -> None:
    """A file name that came percent-encoded is shown decoded."""
    plain_name = "Œuvre d’été €.pdf"  # noqa: RUF001 - as people write it
    name = _read_name(_publish_named(bench, quote(plain_name, safe="")))
    expect(name == plain_name, "A percent-encoded file name is not decoded.")


@requires(
    "file-name-harmless",
    source="RFC 6266 section 4.3; OWASP ASVS 12.3.1: no path may come by a file name",
    mend="Keep what is after the last slash or backslash, or refuse the name.",
    roles=_LETTERS,
    profiles=WRITING,
)
def strip_paths(bench: Workbench) -> None:
    """A file name never leads out of a folder."""
    mark = make_mark()
    papers = (make_main(mark, file_name="..%2F..%2Fbrief.pdf"),)
    message = bench.post_office.make_message(mark, papers)
    answer = bench.post_office.post(message, papers).expect_status(200, 201, 400)
    if answer.status != 400:
        path = f"/ebox/messages/{answer.members()['messageId']}"
        name = _read_name(bench.get(path).expect_status(200).members())
        expect("/" not in name and "\\" not in name, "A file name holds a path.")


@requires(
    "file-name-sent",
    source="RFC 6266 section 4.3, RFC 8187: filename*",
    mend="Send filename*=UTF-8''… with every name that is not ASCII.",
    roles=_LETTERS,
    profiles=WRITING,
    obligation=Obligation.SHOULD,
)
def send_file_name(bench: Workbench) -> None:
    """A download names its file, in UTF-8 where it must."""
    plain_name = "Résumé.pdf"
    message = _publish_named(bench, quote(plain_name, safe=""))
    path = make_content_path(message, message["attachments"]["items"][0])
    text = bench.ask("GET", path).expect_status(200).header("Content-Disposition")
    expect(
        f"filename*=utf-8''{quote(plain_name).lower()}" in text.lower(), "There is no filename*."
    )
