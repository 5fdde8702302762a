"""GET …/ebox/messages?q=…&qlang=…: which texts find a message (contract 4.3)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

import pytest

from registry.domain.identifiers import EboxKind
from tests.factories import a_file, an_ebox


def found(visitor, text, language="nl", more=""):
    """The ids that a search finds."""
    answer = visitor.get(f"/ebox/messages?q={quote(text)}&qlang={language}{more}")
    assert answer.status_code == 200, answer.json
    assert answer.json["totalItems"] == len(answer.json["items"])
    return [item["messageId"] for item in answer.json["items"]]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Het grote Paard", "het GROTE paard"),
        ("Élève à l'école", "eleve a l'ecole"),
        ("eleve a l'ecole", "ÉLÈVE À L'ÉCOLE"),
        ("E\u0301le\u0300ve", "\u00e9l\u00e8ve"),
        ("Le cœur", "coeur"),
        ("Le coeur", "CŒUR"),
        ("Lille Lærke", "laerke"),
        ("Lille Laerke", "lærke"),
        ("Große Straße", "grosse strasse"),
        ("Grosse Strasse", "GROẞE straße"),
        ("Ein Büro", "buro"),
        ("\ufb01etsen en o\ufb00erte", "fietsen en offerte"),
        ("fietsen", "\ufb01ets"),
        ("naïef België", "naief belgie"),
        ("Avis sur l\u2019imp\u00f4t", "l'imp\u00f4t"),
        ("Avis sur l'imp\u00f4t", "l\u2019imp\u00f4t"),
        ("Zogenaamd \u201edringend\u201d", '"dringend"'),
        ("2025\u20132026", "2025-2026"),
    ],
)
def test_case_accents_and_ligatures_do_not_matter(consumer, deliver, subject, text):
    message = deliver(consumer.ebox, subject={"nl": subject})

    assert found(consumer, text) == [str(message)]


@pytest.mark.parametrize("text", ["etrol", "p", "P", "leum 2", " 2", "petroleum 2027"])
def test_a_text_is_found_anywhere_also_inside_a_word(consumer, deliver, text):
    message = deliver(consumer.ebox, subject={"nl": "petroleum 2027"})

    assert found(consumer, text) == [str(message)]


@pytest.mark.parametrize("text", ["ok?This is", "This some random", "random  text", "text random"])
def test_a_text_matches_only_without_gaps(consumer, deliver, text):
    deliver(consumer.ebox, subject={"nl": "ok? This is some random text"})

    assert found(consumer, text) == []


@pytest.mark.parametrize("between", ["", " ", "  "])
def test_a_text_never_matches_from_one_field_into_the_next(consumer, deliver, between):
    deliver(
        consumer.ebox,
        subject={"nl": "eerste"},
        business_data=[{"key": "k", "values": [{"nl": "tweede"}, {"nl": "derde"}]}],
        attention={"ssin": "85031212362", "label": "vierde"},
    )

    fields = ["eerste", "tweede", "derde", "85031212362", "vierde"]

    for one, next_ in pairwise(fields):
        assert found(consumer, f"{one}{between}{next_}") == []
        assert found(consumer, one)


@pytest.mark.parametrize(
    ("columns", "language", "text"),
    [
        ({"subject": {"nl": "een zebra"}}, "nl", "zebra"),
        ({"business_data": [{"key": "k", "values": [{"nl": "zebra"}]}]}, "nl", "zebra"),
        (
            {"business_data": [{"key": "k", "values": [{"nl": "x"}, {"nl": "zebra"}]}]},
            "nl",
            "zebra",
        ),
        ({"attention": {"ssin": "85031212362"}}, "nl", "85031212362"),
        ({"attention": {"ssin": "85031212362"}}, "de", "03121"),
        ({"attention": {"label": "Zebra"}}, "fr", "zebra"),
        ({"sender_application_id": "just-on-web"}, "nl", "just-on-web"),
        ({"sender_application_id": "just-on-web"}, "nl", "onlineplatform"),
        ({"sender_application_id": "just-on-web"}, "fr", "la plateforme en ligne"),
        ({"sender_application_id": "just-on-web"}, "de", "online-plattform"),
        ({"sender": "0206731645"}, "nl", "RSZ"),
        ({"sender": "0206731645"}, "fr", "onss"),
        ({"sender": "0206731645"}, "de", "landesamt fur soziale"),
        ({"sender": "0206731645"}, "nl", "Rijksdienst"),
        ({"message_type_id": "summons"}, "nl", "dagvaarding"),
        ({"message_type_id": "summons"}, "fr", "citation a comparaitre"),
        ({"message_type_id": "summons"}, "de", "vorladung"),
        ({"message_type_id": "contribution-notice"}, "nl", "verschuldigde"),
        ({"message_type_id": "contribution-notice"}, "fr", "sociale dues"),
        ({"message_type_id": "contribution-notice"}, "de", "geschuldete"),
    ],
)
def test_every_field_of_the_contract_is_searched(consumer, deliver, columns, language, text):
    deliver(consumer.ebox)
    message = deliver(consumer.ebox, **columns)

    assert found(consumer, text, language) == [str(message)]


@pytest.mark.parametrize("language", ["nl", "fr", "de"])
@pytest.mark.parametrize(
    "columns",
    [
        {"body": {"nl": "zebra", "fr": "zebra", "de": "zebra"}, "is_body_main": True},
        {"structured_data": {"animal": "zebra"}},
        {"payment_data": {"reference": {"free": "zebra"}}},
        {"business_data": [{"key": "zebra", "values": [{"nl": "x"}]}]},
        {"business_data": [{"key": "k", "name": {"nl": "zebra"}, "values": [{"nl": "x"}]}]},
        {"business_data": [{"key": "k", "description": {"nl": "zebra"}, "values": []}]},
        {"action_id": "zebra", "action_label": {"nl": "zebra"}},
    ],
)
def test_nothing_else_is_searched(consumer, deliver, columns, language):
    deliver(consumer.ebox, **columns)

    assert found(consumer, "zebra", language) == []


def test_documents_are_not_searched(consumer, deliver):
    file = a_file(b"zebra", file_name="zebra.pdf", title={"nl": "zebra"})
    deliver(consumer.ebox, file, content=b"zebra")

    assert found(consumer, "zebra") == []


@pytest.mark.parametrize(("language", "text"), [("nl", "paard"), ("fr", "cheval"), ("de", "pferd")])
def test_only_the_language_asked_for_is_searched(consumer, deliver, language, text):
    animal = {"nl": "paard", "fr": "cheval", "de": "Pferd"}
    in_subject = deliver(consumer.ebox, subject=animal)
    in_value = deliver(consumer.ebox, business_data=[{"key": "k", "values": [animal]}])
    others = {"nl", "fr", "de"} - {language}

    assert set(found(consumer, text, language)) == {str(in_subject), str(in_value)}
    assert [found(consumer, text, other) for other in others] == [[], []]


@pytest.mark.parametrize("language", ["nl", "fr", "de"])
def test_a_gap_is_searched_as_it_is_shown_filled_from_another_language(consumer, deliver, language):
    message = deliver(
        consumer.ebox,
        subject={"fr": "le cheval"},
        business_data=[{"key": "k", "values": [{"de": "das Pferd"}]}],
    )

    assert found(consumer, "cheval", language) == [str(message)]
    assert found(consumer, "pferd", language) == [str(message)]


@pytest.mark.parametrize(
    ("subject", "text", "lookalike"),
    [
        ("100% zeker", "100%", "100 zeker"),
        ("a_b", "a_b", "axb"),
        (r"c:\temp", "c:\\t", "c:temp"),
        (r"een \% teken", r"\%", "een % teken"),
        (r"dubbel \\ teken", "\\\\", r"enkel \ teken"),
        ("it's 'quoted'", "'quoted'", "it s quoted"),
        ("{accolade} %s %(x)s :naam", "%s %(x)s :naam", "accolade naam"),
    ],
)
def test_wildcards_are_taken_literally(consumer, deliver, subject, text, lookalike):
    message = deliver(consumer.ebox, subject={"nl": subject})
    deliver(consumer.ebox, subject={"nl": lookalike})

    assert found(consumer, text) == [str(message)]


def test_one_wildcard_alone_does_not_find_everything(consumer, deliver):
    deliver(consumer.ebox, subject={"nl": "zonder"})

    assert [found(consumer, wildcard) for wildcard in ("%", "_", "\\", "%%", "_%")] == [[]] * 5


def test_a_search_without_language_names_what_is_missing(consumer):
    answer = consumer.get("/ebox/messages?q=paard")

    assert answer.status_code == 400
    (issue,) = answer.json["issues"]
    assert (issue["in"], issue["name"]) == ("query", "qlang")


def test_a_language_without_text_searches_nothing(consumer, deliver):
    deliver(consumer.ebox)

    answer = consumer.get("/ebox/messages?qlang=nl")

    assert answer.json["totalItems"] == 1


def test_a_search_never_finds_what_lies_in_another_ebox(consumer, deliver):
    deliver(an_ebox(), subject={"nl": "zebra"}, attention={"label": "zebra"})
    deliver(an_ebox(EboxKind.CITIZEN), subject={"nl": "zebra"})
    own = deliver(consumer.ebox, subject={"nl": "zebra"})

    assert found(consumer, "zebra") == [str(own)]
    assert found(consumer, "aanslagbiljet") == [str(own)]


def test_a_search_is_bound_by_the_other_filters_and_by_expiry(consumer, deliver):
    wanted = deliver(consumer.ebox, subject={"nl": "zebra"}, is_registered=True)
    deliver(consumer.ebox, subject={"nl": "zebra"})
    past = datetime.now(UTC) - timedelta(seconds=1)
    deliver(consumer.ebox, subject={"nl": "zebra"}, is_registered=True, expires_at=past)

    assert found(consumer, "zebra", more="&isRegisteredMail=true") == [str(wanted)]


def test_a_person_finds_nothing_in_partitions_he_may_not_read(portal_user, deliver):
    deliver(portal_user.ebox, subject={"nl": "zebra"}, partition="partitionNoAccess")
    readable = deliver(portal_user.ebox, subject={"nl": "zebra"}, partition="partitionB")

    assert found(portal_user, "zebra") == [str(readable)]


def test_a_citizen_searches_his_own_ebox(citizen, deliver):
    message = deliver(citizen.ebox, subject={"fr": "Votre épouse"})

    assert found(citizen, "EPOUSE", "fr") == [str(message)]


def test_the_text_searched_for_is_not_repeated_in_a_problem(consumer):
    answer = consumer.get("/ebox/messages?q=geheim%00&qlang=nl")

    assert answer.status_code == 400
    assert "geheim" not in answer.text
