"""A person sees what he may see, whatever his token calls him; only software sees it all (6.36)."""

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, PORTAL, REFERENCE
from tests.factories import a_person, an_ebox

VERSIONS = {version: f"/REST/ebox/enterprise/messageRegistry/{version}" for version in ("v3", "v2")}
# What `sub` may be when it is no SSIN: opaque, one that lost its zero, one with dots, a name.
ODD_SUBJECTS = ["8f14e45f-ceea-467f", "5041299768", "85.04.12-997.68", "x" * 300]


@pytest.fixture(params=VERSIONS)
def base(request):
    return VERSIONS[request.param]


@pytest.fixture
def enterprise(deliver, grant):
    """An e-Box with a message in GENERAL and one in a partition that its person may not read."""
    ebox, person = an_ebox(), a_person()
    grant(ebox.number, ["GENERAL", "secret"], {person: ["GENERAL"]})
    readable, secret = deliver(ebox), deliver(ebox, partition="secret")
    return ebox, person, readable, secret


def ask(app, token, path):
    return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})


def ids(answer):
    return [item["messageId"] for item in answer.json["items"]]


@pytest.mark.parametrize("subject", ODD_SUBJECTS)
def test_a_person_is_known_by_his_claim_when_the_subject_is_no_number(
    app, party, base, enterprise, subject
):
    ebox, person, readable, secret = enterprise
    token = party(PORTAL, enterprise=ebox.number, person=person, subject=subject)

    listing = ask(app, token, f"{base}/ebox/messages")
    detail = ask(app, token, f"{base}/ebox/messages/{secret}")

    assert ids(listing) == [str(readable)]
    assert detail.status_code == 403


@pytest.mark.parametrize("subject", ODD_SUBJECTS)
@pytest.mark.parametrize(
    "path",
    ["/ebox/messages", "/ebox/messages/{message}", "/ebox/messages/{message}/attachments"],
)
def test_without_a_person_the_portals_scope_opens_nothing(
    app, party, base, enterprise, subject, path
):
    ebox, _, readable, _ = enterprise
    token = party(PORTAL, enterprise=ebox.number, subject=subject)

    answer = ask(app, token, base + path.format(message=readable))

    assert answer.status_code == 403


def test_a_person_without_any_name_is_refused_statistics_and_updates(app, party, enterprise):
    ebox, _, readable, _ = enterprise
    token = party(PORTAL, enterprise=ebox.number, subject="nobody")
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    base = VERSIONS["v3"]

    counts = client.get(f"{base}/ebox/statistics", headers=headers)
    update = client.patch(
        f"{base}/ebox/messages",
        json={"items": [{"messageId": str(readable), "isVisible": False}]},
        headers={**headers, "Content-Type": "application/merge-patch+json"},
    )

    assert (counts.status_code, update.status_code) == (403, 403)


def test_a_token_that_names_two_people_is_refused(app, party, base, enterprise):
    ebox, person, _, _ = enterprise
    token = party(PORTAL, enterprise=ebox.number, person=a_person(), subject=person)

    assert ask(app, token, f"{base}/ebox/messages").status_code == 401


def test_subject_and_claim_may_name_one_person_both(app, party, base, enterprise):
    ebox, person, readable, _ = enterprise
    token = party(PORTAL, enterprise=ebox.number, person=person, subject=person)

    assert ids(ask(app, token, f"{base}/ebox/messages")) == [str(readable)]


def test_software_sees_the_whole_ebox_whoever_runs_it(app, party, base, enterprise):
    ebox, _, readable, secret = enterprise
    token = party(CONSUMER, enterprise=ebox.number)

    assert set(ids(ask(app, token, f"{base}/ebox/messages"))) == {str(readable), str(secret)}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_token_of_the_enterprise_family_opens_no_citizens_ebox(app, party, deliver, version):
    """Not even of the person who uses it, nor by the scope of software (contract 6.36)."""
    citizen, enterprise = an_ebox(EboxKind.CITIZEN), an_ebox()
    message = deliver(citizen)
    base = f"/REST/ebox/citizen/messageRegistry/{version}"
    for scopes in ([PORTAL], [CONSUMER], [PORTAL, CONSUMER, REFERENCE]):
        for owner in ({"enterprise": enterprise.number}, {}):
            token = party(*scopes, person=citizen.number, **owner)
            for path in ("/ebox/messages", f"/ebox/messages/{message}"):
                assert ask(app, token, base + path).status_code == 403
