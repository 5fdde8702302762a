"""Search: which texts, in which language, and how alike."""

import unicodedata
from typing import Any

from registry.conformance.letters.post_office import PublishedLetter
from registry.conformance.requirement import (
    WRITING,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import LIST, Workbench

_TABLE = "contract 4.3 (DOC21): case- and accent-insensitive substring of named fields"
_LETTERS = (Role.READER, Role.SENDER)


def _finds(bench: Workbench, letter: PublishedLetter, text: str, language: str = "nl") -> bool:
    page = bench.list_messages(q=text, qlang=language, pageSize=100)
    return letter.message_id in page.ids


def _find_word(bench: Workbench) -> tuple[dict[str, Any], str]:
    """Find a message and a word of its subject in Dutch that has letters alone."""
    for message in bench.get_some_messages():
        for word in str(message["subject"]["nl"]).split():
            if len(word) > 4 and word.isalpha():
                return message, word
    raise Untestable("No message has a word of five letters in its subject.")


def _check_word(bench: Workbench, message: dict[str, Any], text: str, fault: str) -> None:
    page = bench.list_messages(q=text, qlang="nl", pageSize=100)
    expect(message["messageId"] in page.ids or page.total > 100, fault)


@requires(
    "search-language-missing",
    source="contract 4.2, 4.3: 400 for q without qlang",
    mend="Require qlang wherever q has a text.",
)
def require_language(bench: Workbench) -> None:
    """A search without a language is answered with 400."""
    bench.get(LIST, q="brief").expect_status(400)


@requires(
    "search-language-unknown",
    source="contract 4.3: qlang is nl, fr or de",
    mend="Refuse any other qlang with 400.",
)
def refuse_unknown_language(bench: Workbench) -> None:
    """A search in a language that there is not is answered with 400."""
    bench.get(LIST, q="brief", qlang="xx").expect_status(400)


@requires("search-subject", source=_TABLE, mend="Search the subject, in the language of qlang.")
def search_subject(bench: Workbench) -> None:
    """A word of a subject finds the message."""
    message, word = _find_word(bench)
    _check_word(bench, message, word, "A word of a subject does not find its message.")


@requires("search-case", source=_TABLE, mend="Fold upper and lower case on both sides.")
def search_any_case(bench: Workbench) -> None:
    """Upper and lower case are alike in a search."""
    message, word = _find_word(bench)
    _check_word(bench, message, word.swapcase(), "A word in the other case finds nothing.")


@requires(
    "search-substring",
    source=_TABLE,
    mend="Search substrings, not words: the middle of a word is enough.",
)
def search_inside_words(bench: Workbench) -> None:
    """A piece from inside a word finds the message."""
    message, word = _find_word(bench)
    _check_word(bench, message, word[1:-1], "A piece of a word does not find its message.")


@requires("search-nothing", source=_TABLE, mend="Answer a search without results with 200 and [].")
def search_in_vain(bench: Workbench) -> None:
    """A text that no message has finds nothing."""
    page = bench.list_messages(q="qqxxzzqqxxzz", qlang="fr")
    expect((page.items, page.total) == ([], 0), "A text that nobody wrote is found.")


@requires(
    "search-literal",
    source=_TABLE,
    mend="Escape %, _ and \\ before they reach LIKE, and what a regular expression would read.",
)
def search_literally(bench: Workbench) -> None:
    """Signs that mean something to a database are only signs."""
    total = len(bench.get_some_messages())
    for text in ("%%%", "___", ".*.*"):
        page = bench.list_messages(q=text, qlang="nl")
        expect(page.total < total, "A search for wildcards finds every message.")


@requires(
    "search-accents",
    source=_TABLE,
    mend="Take accents off on both sides (NFD without combining marks).",
    roles=_LETTERS,
    profiles=WRITING,
)
def search_without_accents(bench: Workbench) -> None:
    """Accents do not count, neither in what is sought nor in what is there."""
    letter = bench.post_office.get_standard_letter()
    plain = unicodedata.normalize("NFD", "Crème Brûlée").encode("ascii", "ignore").decode()
    expect(_finds(bench, letter, plain), "What has accents is not found by a text without.")
    mark = f"{letter.mark[0]}́{letter.mark[1:]}"
    expect(_finds(bench, letter, mark), "What has no accents is not found by a text with one.")


@requires(
    "search-gaps",
    source=f"{_TABLE}; not word-based: a text must not match across gaps",
    mend="Search for the text as one piece; do not cut it into words.",
    roles=_LETTERS,
    profiles=WRITING,
)
def search_without_gaps(bench: Workbench) -> None:
    """A text matches as one piece, not word by word."""
    letter = bench.post_office.get_standard_letter()
    expect(_finds(bench, letter, "ok? This is some"), "A text with blanks is not found.")
    for text in ("ok?This is", "This some random"):
        expect(not _finds(bench, letter, text), "A text is found across a gap.")


@requires(
    "search-business-data",
    source=_TABLE,
    mend="Search the values of businessDataList.",
    roles=_LETTERS,
    profiles=WRITING,
)
def search_business_data(bench: Workbench) -> None:
    """A value of the business data finds the message."""
    letter = bench.post_office.get_standard_letter()
    expect(_finds(bench, letter, f"feit{letter.mark[1:]}q"), "Business data are not searched.")


@requires(
    "search-addressee",
    source=_TABLE,
    mend="Search number and name of forTheAttentionOf.",
    roles=_LETTERS,
    profiles=WRITING,
)
def search_addressee(bench: Workbench) -> None:
    """The name of the addressee finds the message."""
    letter = bench.post_office.get_standard_letter()
    expect(_finds(bench, letter, f"Dienst {letter.mark[::-1]}"), "The addressee is not searched.")


@requires(
    "search-body",
    source=f"{_TABLE}; never document or body content",
    mend="Leave bodies and documents out of the search.",
    roles=_LETTERS,
    profiles=WRITING,
)
def leave_bodies_alone(bench: Workbench) -> None:
    """A text of the body finds nothing."""
    letter = bench.post_office.get_standard_letter()
    expect(not _finds(bench, letter, f"tekst{letter.mark[2:]}y"), "The body is searched.")


@requires(
    "search-reference-data",
    source=f"{_TABLE}: names of application, organization and message type",
    mend="Search the names of reference data as well, in the language of qlang.",
)
def search_reference_data(bench: Workbench) -> None:
    """The name of the message type finds the message."""
    message = bench.get_some_messages()[0]
    path = f"{bench.dialect.reference}/messageTypes/{message['messageTypeId']}"
    answer = bench.get(path)
    if answer.status != 200:
        raise Untestable("The message type of a message cannot be read.")
    for language in ("nl", "fr"):
        name = answer.members()["messageTypeName"][language]
        page = bench.list_messages(q=name, qlang=language, pageSize=100)
        expect(
            message["messageId"] in page.ids or page.total > 100,
            "The name of a message type does not find its messages.",
        )


@requires(
    "search-empty",
    source="decision 6.32: an empty q is no search",
    mend="Read an empty q as no q at all.",
    obligation=Obligation.MAY,
)
def search_for_nothing(bench: Workbench) -> None:
    """An empty search is no search."""
    page = bench.list_messages(q="", pageSize=100)
    expect(page.total == len(bench.walk_messages()), "An empty search does not list everything.")
