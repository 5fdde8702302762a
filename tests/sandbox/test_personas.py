import json
import stat

from registry.domain.access import Operation
from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.domain.scopes import CITIZEN_SCOPES, OFFICIAL_SCOPES
from registry.sandbox import personas
from registry.sandbox.personas import (
    AUDIT_KEY,
    MANDATES,
    PARTITIONS,
    PERSONAS,
    REPRESENTATIVE,
    WEBHOOK,
)


def test_numbers_pass_their_checks():
    for persona in PERSONAS.values():
        if persona.enterprise:
            EnterpriseNumber.parse(persona.enterprise.digits, check_digits=True)
        if persona.ssin:
            Ssin.parse(persona.ssin.digits, check_digits=True)


def test_scopes_are_official():
    held = {scope for name, p in PERSONAS.items() if name != "registry" for scope in p.scopes}

    assert held <= {*OFFICIAL_SCOPES, *CITIZEN_SCOPES, REPRESENTATIVE, WEBHOOK}


def test_they_differ_in_what_matters():
    consumer, user = PERSONAS["enterprise-consumer"], PERSONAS["portal-user"]

    assert consumer.enterprise == user.enterprise
    assert Operation.WHOLE_EBOX in OFFICIAL_SCOPES[consumer.scopes[0]]
    assert user.subject == user.ssin.digits
    assert len({p.enterprise for p in PERSONAS.values() if p.enterprise}) == 6
    readable = PARTITIONS[user.enterprise.digits]["users"][user.ssin.digits]
    assert "partitionNoAccess" not in readable


def test_the_representative_acts_for_the_sender_and_has_no_other_way():
    representative, sender = PERSONAS["representative"], PERSONAS["sender"]

    mandate = {
        "mandator": sender.enterprise.digits,
        "mandatary": representative.enterprise.digits,
    }
    assert MANDATES["mandates"] == [
        {**mandate, "operation": "publish"},
        {**mandate, "operation": "consult"},
    ]
    granted = frozenset().union(
        *(OFFICIAL_SCOPES.get(scope, ()) for scope in representative.scopes)
    )
    assert Operation.PUBLISH_FOR_ANOTHER in granted
    assert Operation.PUBLISH not in granted


def test_the_portal_may_do_nothing_but_call_the_webhook():
    assert PERSONAS["portal"].identity == {"clientId": "sandbox-portal", "scopes": [WEBHOOK]}


def test_what_changed_is_kept_when_the_data_is(layout):
    changed = {"0123456749": {"partitions": ["GENERAL"], "users": {}}}
    path = layout.federation / "partitions.json"
    path.write_text(json.dumps(changed))
    (layout.federation / "mandates.json").unlink()

    personas.enroll(layout.keys, layout.federation, keep=True)
    kept = json.loads(path.read_text())
    personas.enroll(layout.keys, layout.federation)

    assert kept == changed
    assert json.loads(path.read_text()) == PARTITIONS
    assert json.loads((layout.federation / "mandates.json").read_text()) == MANDATES


def test_enrolling_again_keeps_the_keys(enrolled):
    before = {path.name: path.read_bytes() for path in enrolled.keys.iterdir()}

    personas.enroll(enrolled.keys, enrolled.federation)

    assert {path.name: path.read_bytes() for path in enrolled.keys.iterdir()} == before
    assert set(before) == {f"{name}.pem" for name in PERSONAS} | {AUDIT_KEY}


def test_keys_are_for_our_eyes(enrolled):
    for path in enrolled.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_authorization_server_has_no_private_key(enrolled):
    clients = json.loads((enrolled.federation / "clients.json").read_text())

    assert {client["key"]["alg"] for client in clients.values()} == {"RS256", "ES384"}
    assert not any("d" in client["key"] for client in clients.values())
