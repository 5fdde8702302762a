import json
import os

import pytest

from registry.sandbox.personas import BAKERY, CITIZEN, CLUB, GARAGE


@pytest.fixture
def search(federation, http, bearer):
    """Asks the Federation WS as the registry does."""

    def ask(what, question, headers=None):
        headers = bearer("registry") if headers is None else headers
        return http.post(
            f"{federation.federation_url}/{what}/search", json=question, headers=headers
        )

    return ask


def eboxes(*numbers, **changes):
    question = {"eboxType": "ENTERPRISE", "eboxIdType": "EnterpriseNumber"}
    return {**question, "eboxIdValueList": [str(number) for number in numbers], **changes}


def test_only_eboxes_that_exist_are_told_of(search):
    answer = search("eboxPreferences", eboxes("0123456749", GARAGE, CLUB))

    assert answer.status_code == 200
    assert answer.json() == [
        {
            "eboxId": {"eboxType": "enterprise", "eboxIdValue": GARAGE.digits},
            "exclusivelyEbox": False,
            "lastConnectionDate": "2026-10-01T09:30:00+02:00",
        },
        {
            "eboxId": {"eboxType": "enterprise", "eboxIdValue": CLUB.digits},
            "exclusivelyEbox": False,
        },
    ]


def test_when_none_exists_the_answer_is_empty(search):
    assert search("eboxPreferences", eboxes("0123456749")).json() == []


def test_an_ebox_is_told_of_once(search):
    assert len(search("eboxPreferences", eboxes(BAKERY, BAKERY)).json()) == 1


def test_who_accepted_the_terms(search):
    answer = search("citizenEboxConsents", {"ssinList": [CITIZEN.digits, "85041299768"]})

    assert answer.json() == [
        {"ssin": CITIZEN.digits, "consent": True},
        {"ssin": "85041299768", "consent": False},
    ]


@pytest.mark.parametrize(
    ("what", "question"),
    [
        ("eboxPreferences", eboxes(BAKERY, eboxType="enterprise")),
        ("eboxPreferences", eboxes(BAKERY, eboxIdType="Ssin")),
        ("eboxPreferences", eboxes(BAKERY, eboxIdValueList=BAKERY.digits)),
        ("eboxPreferences", eboxes(BAKERY, eboxIdValueList=[999910048])),
        ("eboxPreferences", [BAKERY.digits]),
        ("citizenEboxConsents", {}),
    ],
    ids=str,
)
def test_another_question_is_refused(what, question, search):
    answer = search(what, question)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("what", ["eboxPreferences", "citizenEboxConsents"])
def test_the_scope_is_needed(what, search, bearer):
    assert search(what, {}, headers={}).status_code == 401
    assert search(what, {}, headers=bearer("sender")).status_code == 403


def test_preferences_may_change_while_it_runs(search, enrolled):
    path = enrolled.federation / "preferences.json"
    before = path.read_text()
    assert len(search("eboxPreferences", eboxes(CLUB)).json()) == 1

    path.write_text(json.dumps({"consents": []}))
    os.utime(path, ns=(1, 1))
    after = search("eboxPreferences", eboxes(CLUB)).json()
    path.write_text(before)

    assert after == []
