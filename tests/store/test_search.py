"""Searching texts: what finds what, and that an index does the finding (contract 4.3)."""

import json
import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.domain.languages import fold
from registry.domain.queries import MessageQuery, Search
from registry.store.consultation import message_list
from registry.store.transactions import name_ebox
from tests.factories import NOON, an_ebox

MANY = 3_000  # enough for a plan that does not read everything


@pytest.fixture
def found(application, settle):
    """The messages of an e-Box that a text finds."""

    def search(ebox, searched, language="nl"):
        query = MessageQuery(search=Search(text=fold(searched), language=language))
        settle(ebox)
        with application.begin() as connection:
            name_ebox(connection, ebox)
            page = message_list.read_page(
                connection, ebox, query, partitions=None, now=NOON, known_sizes=settle.known
            )
        assert page.total == len(page.messages)
        return {message.message_id for message in page.messages}

    return search


@pytest.mark.parametrize(
    ("subject", "searched"),
    [
        ("Uw épinards-oogst", "EPINARDS"),
        ("Le bœuf", "boeuf"),
        ("Le boeuf", "BŒUF"),
        ("Straße", "strasse"),
        ("e\ufb03cace", "FFI"),
        ("midden in een woord", "dden in ee"),
        ("ok?This is", "?t"),
        ("100% korting", "100%"),
        ("een_streepje", "n_s"),
        (r"C:\temp", r":\t"),
        (r"\%", r"\%"),
        ("l'été d''ici", "d''i"),
        ('a "quoted" one', '"quoted"'),
        ("; DROP TABLE messages; --", "; drop table"),
        ("$1 en $2", "$2"),
        ("x", "x"),
        ("日本語", "本"),
        ("smile 😀 there", "😀"),
    ],
)
def test_a_text_is_found_by_any_part_of_it_without_case_or_accents(
    found, deliver, subject, searched
):
    ebox = an_ebox()
    message = deliver(ebox, subject={"nl": subject})

    assert found(ebox, searched) == {message}


@pytest.mark.parametrize(
    ("subject", "searched"),
    [
        ("100 korting", "100%"),
        ("eenXstreepje", "een_streepje"),
        ("abc", "%"),
        ("abc", "_"),
        ("abc", "\\"),
        ("abc", "a%c"),
        ("ab", "abc"),
        ("a b", "ab"),
    ],
)
def test_a_wildcard_finds_nothing_but_itself(found, deliver, subject, searched):
    ebox = an_ebox()
    quiet = {"message_type_id": "summons", "sender_application_id": None}
    deliver(ebox, subject={"nl": subject}, **quiet)

    assert found(ebox, searched) == set()


def test_a_text_is_searched_in_the_language_that_is_asked_for(found, deliver):
    ebox = an_ebox()
    message = deliver(ebox, subject={"nl": "Fiets", "fr": "Vélo", "de": "Rad"})

    assert found(ebox, "velo", "fr") == {message}
    assert found(ebox, "velo", "nl") == set()
    assert found(ebox, "rad", "de") == {message}


def test_a_text_that_was_given_in_one_language_is_found_in_all(found, deliver):
    ebox = an_ebox()
    message = deliver(ebox, subject={"fr": "Vélo"})

    assert [found(ebox, "velo", language) for language in ("nl", "fr", "de")] == [{message}] * 3


@pytest.mark.parametrize(
    "searched",
    [
        "dossier 4711",
        "85073003328",
        "Jos Dewaële",
        "MyMinfin",
        "Uw fiscaal dossier",
        "FOD Financiën",
        "Federale Overheidsdienst",
        "Aanslagbiljet",
    ],
    ids=[
        "business data",
        "addressee's number",
        "addressee's label",
        "application's name",
        "application's description",
        "organization's short name",
        "organization's long name",
        "type's name",
    ],
)
def test_every_field_of_the_contract_is_searched(found, deliver, searched):
    ebox = an_ebox()
    message = deliver(
        ebox,
        subject={"nl": "x"},
        attention={"ssin": "85073003328", "label": "Jos Dewaële"},
        business_data=[{"key": "file", "values": [{"nl": "Dossier 4711"}]}],
    )

    assert found(ebox, searched) == {message}


def test_bodies_keys_and_names_of_business_data_are_not_searched(found, deliver):
    ebox = an_ebox()
    deliver(
        ebox,
        body={"nl": "zeldzaam"},
        is_body_main=True,
        business_data=[{"key": "zeldzaam", "name": {"nl": "zeldzaam"}, "values": [{"nl": "1"}]}],
        structured_data={"nl": "zeldzaam"},
    )

    assert found(ebox, "zeldzaam") == set()


def test_a_text_does_not_match_from_one_field_into_the_next(found, deliver):
    ebox = an_ebox()
    deliver(ebox, subject={"nl": "een"}, business_data=[{"key": "k", "values": [{"nl": "twee"}]}])

    for searched in ("eentwee", "een twee", "een\ntwee", "n\nt"):
        assert found(ebox, searched) == set(), searched


def test_a_search_in_another_eboxs_texts_finds_nothing(found, deliver):
    deliver(an_ebox(), subject={"nl": "overal hetzelfde"})

    assert found(an_ebox(), "overal hetzelfde") == set()


@pytest.mark.parametrize("language", ["en", "NL", "", "nl; --", "message_id", "ebox"])
@pytest.mark.parametrize(
    "call",
    [
        "search_ebox(:lang, 'x', 0)",
        "search_ebox(:lang, 'x', 0, 9)",
        "search_newest(:lang, 'x', 1, 9, now())",
    ],
)
def test_a_language_without_texts_is_refused(application, call, language):
    with application.begin() as connection:
        name_ebox(connection, an_ebox())

        with pytest.raises(DBAPIError, match="no texts are kept in this language"):
            connection.execute(text(f"SELECT {call}"), {"lang": language})


@pytest.fixture(scope="module")
def crowded(owner):
    """One large e-Box with many messages, among others."""
    ebox, *others = [an_ebox() for _ in range(3)]
    with owner.begin() as connection:
        large = text("INSERT INTO large_eboxes (ebox, counted_at) VALUES (:ebox, now())")
        connection.execute(large, {"ebox": ebox.key})
        for number, holder in enumerate([ebox, *others]):
            connection.execute(
                text(
                    "WITH made AS (INSERT INTO messages (ebox, message_id, received_at, expires_at,"
                    " is_registered, is_reply_authorized, partition, message_type_id, sender,"
                    " subject) SELECT :ebox, gen_random_uuid(), now(), now() + '1 year', false,"
                    " false, 'GENERAL', 'summons', '0308357159', '{}'"
                    " FROM generate_series(1, :many) RETURNING message_id)"
                    " INSERT INTO search_texts SELECT :ebox, message_id, t, t, t FROM"
                    " (SELECT message_id, 'brief over ' || md5(message_id::text) AS t FROM made) m"
                ),
                {"ebox": holder.key, "many": MANY if number == 0 else MANY // 100},
            )
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE messages, search_texts"))
    return ebox


@pytest.fixture
def plans(superuser):
    """What PostgreSQL does for every statement inside the search function."""

    def explained(ebox, language, words):
        seen = []
        with superuser.begin() as connection:
            driver = connection.connection.driver_connection
            driver.add_notice_handler(lambda notice: seen.append(notice.message_primary))
            for statement in (
                "LOAD 'auto_explain'",
                "SET LOCAL auto_explain.log_nested_statements = on",
                "SET LOCAL auto_explain.log_min_duration = 0",
                "SET LOCAL auto_explain.log_format = json",
                "SET LOCAL auto_explain.log_level = notice",
                "SET LOCAL client_min_messages = notice",
            ):
                connection.exec_driver_sql(statement)
            name_ebox(connection, ebox)
            searched = text("SELECT search_ebox(:language, :words, 0)")
            ids = connection.execute(searched, {"language": language, "words": words}).all()
        plans = [json.loads(found[0]) for note in seen if (found := re.search(r"\{.*", note, re.S))]
        return {plan["Query Text"]: plan["Plan"] for plan in plans}, len(ids)

    return explained


def steps(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from steps(below)


@pytest.mark.long
@pytest.mark.parametrize("language", ["nl", "fr", "de"])
@pytest.mark.parametrize("words", ["of one message", "zz", "x", "--", "---"])
def test_a_search_in_a_large_ebox_goes_by_its_index(owner, plans, crowded, language, words):
    if words == "of one message":
        with owner.connect() as connection:
            one = text("SELECT nl FROM search_texts WHERE ebox = :ebox LIMIT 1")
            words = connection.scalar(one, {"ebox": crowded.key})[-20:]

    explained, count = plans(crowded, language, words)

    (plan,) = (plan for query, plan in explained.items() if "search_texts" in query)
    used = [(step["Node Type"], step.get("Index Name", "")) for step in steps(plan)]
    bitmaps = [index for kind, index in used if kind == "Bitmap Index Scan"]
    assert count == (1 if len(words) > 3 else 0)
    assert bitmaps, json.dumps(plan, indent=1)
    assert re.fullmatch(r"ix_search_texts_large_\d+", bitmaps[0]), json.dumps(plan, indent=1)
    assert not [kind for kind, _ in used if kind == "Seq Scan"]
