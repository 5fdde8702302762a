"""A header that says whose e-Box is meant is honoured or refused, and never ignored (6.16)."""

import pytest

from registry.sandbox.personas import CONSUMER, PORTAL, REFERENCE, REPRESENTATIVE, WEBHOOK
from tests.factories import a_person, an_ebox

HEADER = "On-Behalf-Of-Enterprise-Number"
VERSIONS = {version: f"/REST/ebox/enterprise/messageRegistry/{version}" for version in ("v3", "v2")}
READS = {
    "v3": ("/ebox/messages", "/ebox/messages/{message}", "/ebox/statistics"),
    "v2": ("/ebox/messages", "/ebox/messages/{message}", "/ebox"),
}


@pytest.fixture
def mandate(facts):
    """Give the second enterprise a mandate to act for the first one."""

    def give(mandator, mandatary, operation="consult"):
        given = {"mandator": mandator.number, "mandatary": mandatary.number, "operation": operation}
        facts("mandates", lambda known: known["mandates"].append(given))

    return give


@pytest.fixture
def mandator(deliver):
    """An enterprise with messages in two partitions, and the ids of these."""
    ebox = an_ebox()
    return ebox, [str(deliver(ebox, partition=name)) for name in ("GENERAL", "B")]


@pytest.fixture
def provider(app, party):
    """A service provider: its e-Box, and how it asks."""
    ebox = an_ebox()

    def ask(path, scopes=(REPRESENTATIVE,), method="GET", on_behalf=None, **more):
        token = party(*scopes, enterprise=ebox.number)
        headers = {"Authorization": f"Bearer {token}"}
        if on_behalf:
            headers[HEADER] = on_behalf
        return app.test_client().open(path, method=method, headers=headers, **more)

    return ebox, ask


@pytest.mark.parametrize(
    ("version", "path"), [(version, path) for version, paths in READS.items() for path in paths]
)
class TestEveryRead:
    def test_with_a_mandate_it_is_about_the_mandators_ebox(
        self, provider, mandator, mandate, version, path
    ):
        (own, ask), (ebox, messages) = provider, mandator
        mandate(ebox, own)

        answer = ask(VERSIONS[version] + path.format(message=messages[1]), on_behalf=ebox.number)

        assert answer.status_code == 200
        if path == "/ebox/messages":
            assert sorted(item["messageId"] for item in answer.json["items"]) == sorted(messages)

    @pytest.mark.parametrize("given", ["none", "the other way round", "to publish"])
    def test_without_a_mandate_it_is_refused(
        self, provider, mandator, mandate, version, path, given
    ):
        (own, ask), (ebox, messages) = provider, mandator
        if given == "the other way round":
            mandate(own, ebox)
        elif given == "to publish":
            mandate(ebox, own, "publish")

        answer = ask(VERSIONS[version] + path.format(message=messages[0]), on_behalf=ebox.number)

        assert answer.status_code == 403

    @pytest.mark.parametrize("scopes", [[CONSUMER], [CONSUMER, PORTAL, REFERENCE]])
    def test_without_the_scope_a_mandate_is_not_enough(
        self, provider, mandator, mandate, version, path, scopes
    ):
        (own, ask), (ebox, messages) = provider, mandator
        mandate(ebox, own)

        answer = ask(
            VERSIONS[version] + path.format(message=messages[0]),
            scopes=scopes,
            on_behalf=ebox.number,
        )

        assert answer.status_code == 403

    def test_what_is_no_number_is_named(self, provider, mandator, version, path):
        _, ask = provider
        _, messages = mandator

        answer = ask(VERSIONS[version] + path.format(message=messages[0]), on_behalf="somebody")

        assert answer.status_code == 400
        assert "somebody is not a valid company" in answer.text

    def test_the_representatives_scope_alone_opens_nothing_of_his_own(
        self, provider, mandator, version, path
    ):
        _, ask = provider
        _, messages = mandator

        answer = ask(VERSIONS[version] + path.format(message=messages[0]))

        assert answer.status_code == 403


def test_a_representative_may_update_for_his_mandator(provider, mandator, mandate):
    (own, ask), (ebox, messages) = provider, mandator
    mandate(ebox, own)
    changes = {"items": [{"messageId": messages[0], "isVisible": False}]}

    answer = ask(
        f"{VERSIONS['v3']}/ebox/messages", method="PATCH", on_behalf=ebox.number, json=changes
    )

    assert answer.json["items"][0]["isVisible"] is False


def test_ones_own_number_in_the_header_is_ones_own_ebox(provider, deliver):
    own, ask = provider
    message = deliver(own)

    answer = ask(f"{VERSIONS['v3']}/ebox/messages", scopes=[CONSUMER], on_behalf=own.number)

    assert [item["messageId"] for item in answer.json["items"]] == [str(message)]


@pytest.mark.parametrize("fault", ["error", "lie", "garbage", "reset"])
def test_a_mandate_that_nobody_can_confirm_is_none(provider, mandator, mandate, faults, fault):
    (own, ask), (ebox, _) = provider, mandator
    mandate(ebox, own)
    faults(mandates=fault)

    answer = ask(f"{VERSIONS['v3']}/ebox/messages", on_behalf=ebox.number)

    assert answer.status_code == 403


@pytest.mark.parametrize("version", VERSIONS)
def test_below_the_citizens_path_the_header_is_refused(app, citizen, version):
    answer = app.test_client().get(
        f"/REST/ebox/citizen/messageRegistry/{version}/ebox/messages",
        headers={"Authorization": f"Bearer {citizen.token}", HEADER: an_ebox().number},
    )

    assert answer.status_code == 403


def test_the_webhook_takes_no_such_header(app, party):
    headers = {"Authorization": f"Bearer {party(WEBHOOK)}", HEADER: an_ebox().number}

    answer = app.test_client().post(
        f"{VERSIONS['v3']}/eventNotifications", headers=headers, json={}
    )

    assert answer.status_code == 403


def test_reference_data_in_anothers_name_needs_a_mandate_too(provider, mandate):
    own, ask = provider
    other = an_ebox()
    path = f"{VERSIONS['v3']}/refData/messageTypes"

    before = ask(path, on_behalf=other.number)
    mandate(other, own)
    after = ask(path, on_behalf=other.number)

    assert (before.status_code, after.status_code) == (403, 200)


def test_a_person_of_the_representative_gets_no_more_than_the_mandate(app, party, mandate, deliver):
    """A person's rights are on his own enterprise's partitions: they open no other's."""
    own, other, person = an_ebox(), an_ebox(), a_person()
    deliver(other)
    mandate(other, own)
    token = party(PORTAL, enterprise=own.number, person=person)

    answer = app.test_client().get(
        f"{VERSIONS['v3']}/ebox/messages",
        headers={"Authorization": f"Bearer {token}", HEADER: other.number},
    )

    assert answer.status_code == 403
