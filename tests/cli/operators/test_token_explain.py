"""`registry token explain`: what a token opens, and why not."""

import json
from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CITIZEN_PORTAL, CONSUMER, PORTAL, REFERENCE, SENDER
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.conftest import V3
from tests.factories import a_person, an_ebox, an_enterprise


@pytest.fixture
def explain(run, environment):
    """Explain a token that is piped; as a program is told, unless it is for a person."""

    def typed(token, *options, env=None):
        done = run("token", "explain", "-", *options, env=environment | (env or {}), answer=token)
        assert token not in done.said
        return done

    return typed


def rules(done, version="v3", kind="enterprise"):
    """Whether each operation is allowed, and by which rule."""
    return {
        each["operation"]: (each["isAllowed"], each["rule"])
        for each in json.loads(done.out)["operations"]
        if (each["version"], each["eboxType"]) == (version, kind)
    }


def test_the_software_of_an_enterprise_opens_its_whole_e_box(explain, party):
    number = an_enterprise()

    done = explain(party(CONSUMER, enterprise=number), "--json")

    assert done.code == 0
    new, old, citizens = rules(done), rules(done, "v2"), rules(done, kind="citizen")
    assert new["GET /ebox/messages"] == (True, f"the whole e-Box of {number}")
    assert old["GET /ebox"] == (True, f"the whole e-Box of {number}")
    assert new["POST /ebox/messages"][0] is False
    assert "publicationsender" in new["POST /ebox/messages"][1]
    assert old["POST /publishMessage"] == (False, new["POST /ebox/messages"][1]) or (
        old["POST /publishMessage"][1] == "to answer a message that was received, and no other"
    )
    assert citizens["GET /ebox/messages"][0] is False


def test_a_person_is_told_the_partitions_that_he_may_read_and_is_not_named(explain, party, grant):
    number, person = an_enterprise(), a_person()
    grant(number, ["GENERAL", "partitionB"], {person: ["GENERAL"]})

    done = explain(party(PORTAL, REFERENCE, enterprise=number, person=person), "--json")

    told = json.loads(done.out)
    assert (told["enterpriseNumber"], told["isForPerson"]) == (number, True)
    assert told["partitions"] == "GENERAL"
    assert rules(done)["GET /ebox/messages"] == (True, f"the person's partitions of {number}")
    assert person not in done.said
    assert "***" in done.said


def test_a_sender_publishes_and_reads_nothing(explain, party):
    number = an_enterprise()

    done = explain(party(SENDER, enterprise=number), "--json")

    assert rules(done)["POST /ebox/messages"] == (True, f"as the sender {number}")
    assert rules(done, "v2")["POST /publishMessage"] == (True, f"as the sender {number}")
    allowed, rule = rules(done)["GET /ebox/messages"]
    assert (allowed, "documentconsumer" in rule) == (False, True)


def test_a_citizen_opens_his_own_e_box(explain, party):
    person = an_ebox(EboxKind.CITIZEN).number

    done = explain(party(CITIZEN_PORTAL, person=person))

    assert done.code == 0
    assert "citizen …" in done.out
    assert "the e-Box of the person" in done.out
    assert person not in done.said


def test_what_is_allowed_is_what_the_service_allows(explain, party, app):
    """The same question, put to the service itself."""
    for scopes in ((CONSUMER,), (SENDER,), (PORTAL,), ()):
        token = party(*scopes, enterprise=an_enterprise())
        told = rules(explain(token, "--json"))

        for path in ("/ebox/messages", "/ebox/statistics", "/refData/messageTypes"):
            answer = app.test_client().get(
                V3[EboxKind.ENTERPRISE] + path, headers={"Authorization": f"Bearer {token}"}
            )
            assert (answer.status_code == 200) is told[f"GET {path}"][0], (scopes, path)


@pytest.mark.parametrize("token", ["6f1c2a34-nobodys", "two words", "x" * 9000])
def test_what_is_no_token_is_refused(explain, token):
    done = explain(token)

    assert done.code == 1
    assert len(done.err.splitlines()) == 1


def test_an_authorization_server_that_is_away_is_one_sentence(explain):
    url = f"http://{LOOPBACK}:{free_port()}"

    done = explain(str(uuid4()), env={"REGISTRY_OAUTH_INTROSPECT_URL": url})

    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
