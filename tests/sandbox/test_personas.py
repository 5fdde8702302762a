import json
import stat

from registry.domain.access import Operation
from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.sandbox import personas
from registry.sandbox.personas import PARTITIONS, PERSONAS
from registry.settings import OFFICIAL_SCOPES


def test_numbers_pass_their_checks():
    for persona in PERSONAS.values():
        if persona.enterprise:
            EnterpriseNumber.parse(persona.enterprise.digits, checked=True)
        if persona.ssin:
            Ssin.parse(persona.ssin.digits, checked=True)


def test_scopes_are_official():
    held = {scope for name, p in PERSONAS.items() if name != "registry" for scope in p.scopes}

    assert held <= set(OFFICIAL_SCOPES)


def test_they_differ_in_what_matters():
    consumer, user = PERSONAS["enterprise-consumer"], PERSONAS["portal-user"]

    assert consumer.enterprise == user.enterprise
    assert Operation.WHOLE_EBOX in OFFICIAL_SCOPES[consumer.scopes[0]]
    assert user.subject == user.ssin.digits
    assert len({p.enterprise for p in PERSONAS.values() if p.enterprise}) == 5
    readable = PARTITIONS[user.enterprise.digits]["users"][user.ssin.digits]
    assert "partitionNoAccess" not in readable


def test_enrolling_again_keeps_the_keys(enrolled):
    before = {path.name: path.read_bytes() for path in enrolled.keys.iterdir()}

    personas.enroll(enrolled.keys, enrolled.federation)

    assert {path.name: path.read_bytes() for path in enrolled.keys.iterdir()} == before
    assert set(before) == {f"{name}.pem" for name in PERSONAS}


def test_keys_are_for_our_eyes(enrolled):
    for path in enrolled.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_authorization_server_has_no_private_key(enrolled):
    clients = json.loads((enrolled.federation / "clients.json").read_text())

    assert {client["key"]["alg"] for client in clients.values()} == {"RS256", "ES384"}
    assert not any("d" in client["key"] for client in clients.values())
