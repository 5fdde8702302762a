"""Texts in the three languages of the country."""

from collections.abc import Iterator
from typing import Any

from registry.conformance.contract.dialect import LANGUAGES
from registry.conformance.requirement import WRITING, Role, Unmet, Untestable, expect, requires
from registry.conformance.workbench import LIST, Workbench

_SOURCE = "contract 4.7 (DOC21): nl, fr and de are all there, the provider fills gaps"


def _list_texts(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "subject", message["subject"]
    for item in message["attachments"]["items"]:
        if "attachmentTitle" in item:
            yield "attachmentTitle", item["attachmentTitle"]
    for item in message.get("businessDataList", {}).get("items", ()):
        yield from (("a value of business data", value) for value in item["values"])


def _expect_all_languages(name: str, text: Any) -> None:
    missing = [language for language in LANGUAGES if not text.get(language)]
    if missing:
        raise Unmet(f"{name} is not there in {', '.join(missing)}.")


@requires("language-messages", source=_SOURCE, mend="Repeat a language that the sender gave.")
def show_messages_in_three_languages(bench: Workbench) -> None:
    """Subjects, titles and business data are there in Dutch, French and German."""
    for message in bench.get_some_messages():
        for name, text in _list_texts(message):
            _expect_all_languages(name, text)


@requires("language-reference-data", source=_SOURCE, mend="Fill the gaps of names, too.")
def show_names_in_three_languages(bench: Workbench) -> None:
    """Names of message types, applications and organizations are there in three languages."""
    reference = bench.dialect.reference
    lists = {
        "messageTypes": "messageTypeName",
        "senderApplications": "applicationName",
        "senderOrganizations": "organizationShortName",
    }
    for path, name in lists.items():
        for item in bench.get(f"{reference}/{path}").expect_status(200).members()["items"]:
            _expect_all_languages(name, item[name])


@requires(
    "language-gaps",
    source=_SOURCE,
    mend="Fill each language that the sender left out with one that he gave.",
    roles=(Role.READER, Role.SENDER),
    profiles=WRITING,
)
def fill_gaps(bench: Workbench) -> None:
    """A text in Dutch alone is shown in the other languages as well."""
    letter = bench.post_office.get_standard_letter()
    message = bench.get(letter.path).expect_status(200).members()
    for name, text in _list_texts(message):
        same = len({text.get(language) for language in LANGUAGES}) == 1
        expect(same, f"{name} was given in Dutch alone, and is another text in another language.")


@requires(
    "language-body",
    source=_SOURCE,
    mend="Fill the gaps of the body, too.",
    roles=(Role.READER, Role.SENDER),
    profiles=WRITING,
)
def show_body_in_three_languages(bench: Workbench) -> None:
    """The body is there in three languages."""
    letter = bench.post_office.get_standard_letter()
    answer = bench.get(f"{LIST}/{letter.message_id}/body")
    if answer.status in (404, 405, 501):
        raise Untestable("The registry has no bodies, which are optional.")
    body = answer.expect_status(200).members()
    _expect_all_languages("The body", body)
