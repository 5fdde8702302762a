"""The parties of the sandbox, all fictional: who they are, what they may, their keys."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, RSAKey

from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.sandbox.federation.addresses import INTROSPECT_SCOPE, PREFERENCE_SCOPE
from registry.sandbox.files import write_private

_CONSULT: Final = "scope:document:management:consult:ws-eboxrestentreprise"
CONSUMER: Final = f"{_CONSULT}:documentconsumer"
PORTAL: Final = f"{_CONSULT}:messagesfull"
REFERENCE: Final = f"{_CONSULT}:referencedata"
SUMMARY: Final = f"{_CONSULT}:summaryownebox"  # of version 2.1
_CITIZEN: Final = "scope:document:management:consult:ws-eboxrestcitizen"  # by analogy
CITIZEN_PORTAL: Final = f"{_CITIZEN}:messagesfull"
CITIZEN_REFERENCE: Final = f"{_CITIZEN}:referencedata"
CITIZEN_SUMMARY: Final = f"{_CITIZEN}:summaryownebox"
SENDER: Final = f"{_CONSULT}:publicationsender"
FOR_ANOTHER: Final = f"{_CONSULT}:eboxrepresentativepublication"
REPRESENTATIVE: Final = f"{_CONSULT}:eboxrepresentativeconsultation"  # by analogy
WEBHOOK: Final = f"{_CONSULT}:eventnotification"  # invented: the real one is not published
CERTIFICATION: Final = f"{_CONSULT}:certification"  # invented: the draft names none
AUDIT_KEY: Final = "audit.pem"  # among the keys, of no persona

BAKERY: Final = EnterpriseNumber.parse("0999910048")
GARAGE: Final = EnterpriseNumber.parse("0999920738")
AGENCY: Final = EnterpriseNumber.parse("1999930063")
CLUB: Final = EnterpriseNumber.parse("0999940039")
FIDUCIARY: Final = EnterpriseNumber.parse("0999960033")
PROVIDER: Final = EnterpriseNumber.parse("1999955502")
ACCOUNTANT: Final = Ssin.parse("85041299768")
CITIZEN: Final = Ssin.parse("01092399676")

# The partitions of contract 4.24, who may read them, and where new messages go, by priority.
PARTITIONS: Final[dict[str, dict[str, Any]]] = {
    BAKERY.digits: {
        "partitions": ["GENERAL", "partitionB", "partitionToDelete", "partitionNoAccess"],
        "users": {ACCOUNTANT.digits: ["GENERAL", "partitionB", "partitionToDelete"]},
        "routingRules": [
            {
                "routingRuleId": 1,
                "messageTypeId": "information-letter",
                "senderOrganizationId": AGENCY.digits,
                "partition": "partitionB",
            },
        ],
    },
    **{
        enterprise.digits: {"partitions": ["GENERAL"], "users": {}, "routingRules": []}
        for enterprise in (GARAGE, AGENCY, CLUB)
    },
}
MANDATES: Final = {
    "mandates": [
        {"mandator": AGENCY.digits, "mandatary": FIDUCIARY.digits, "operation": operation}
        for operation in ("publish", "consult")
    ],
}
# Which e-Boxes exist and were ever opened: the club's never was. Which citizens accepted the terms.
PREFERENCES: Final[dict[str, Any]] = {
    "preferences": {
        **{
            enterprise.digits: {
                "exclusivelyEbox": False,
                "lastConnectionDate": "2026-10-01T09:30:00+02:00",
            }
            for enterprise in (BAKERY, GARAGE, AGENCY)
        },
        CLUB.digits: {"exclusivelyEbox": False},
    },
    "consents": [CITIZEN.digits],
}


@dataclass(frozen=True, slots=True)
class Persona:
    """A client of the authorization server and the party its tokens stand for."""

    name: str
    about: str
    scopes: tuple[str, ...]
    enterprise: EnterpriseNumber | None = None
    ssin: Ssin | None = None
    algorithm: str = "RS256"

    @property
    def client_id(self) -> str:
        """As registered with the authorization server."""
        return f"sandbox-{self.name}"

    @property
    def subject(self) -> str:
        """`sub` of the tokens: a person's SSIN, else the client (contract 6.36)."""
        return self.ssin.digits if self.ssin else self.client_id

    @property
    def identity(self) -> dict[str, Any]:
        """Members of sandbox.json about this persona."""
        facts: dict[str, Any] = {"clientId": self.client_id}
        if self.enterprise:
            facts["enterpriseNumber"] = self.enterprise.digits
        if self.ssin:
            facts["ssin"] = self.ssin.digits
        return {**facts, "scopes": list(self.scopes)}


PERSONAS: Final = {
    persona.name: persona
    for persona in (
        Persona("enterprise-consumer", "software of a bakery", (CONSUMER,), BAKERY),
        Persona(
            "portal-user",
            "the bakery's accountant in the portal; may not read partitionNoAccess",
            (PORTAL, REFERENCE, SUMMARY),
            BAKERY,
            ACCOUNTANT,
        ),
        Persona("other-enterprise", "software of a garage", (CONSUMER,), GARAGE, algorithm="ES384"),
        Persona(
            "citizen",
            "a citizen in the portal",
            (CITIZEN_PORTAL, CITIZEN_REFERENCE, CITIZEN_SUMMARY),
            ssin=CITIZEN,
        ),
        Persona(
            "sender",
            "an agency that sends documents, and reads what is replied",
            (SENDER, REFERENCE, CONSUMER),
            AGENCY,
        ),
        Persona(
            "representative",
            "an accountancy that may publish and read for that agency",
            (FOR_ANOTHER, REPRESENTATIVE, REFERENCE),
            FIDUCIARY,
        ),
        Persona("no-scope", "software of a club that was granted nothing", (), CLUB),
        Persona("portal", "the federation, which tells of changes", (WEBHOOK,)),
        Persona("registry", "this registry itself", (INTROSPECT_SCOPE, PREFERENCE_SCOPE), PROVIDER),
    )
}


def enroll(keys: Path, federation: Path, *, keep: bool = False) -> None:
    """Make the keys that are not there yet and tell the stand-ins about everybody.

    Writes NAME.pem for each into `keys`, readable by us alone, and audit.pem, which signs seals;
    clients.json, partitions.json, mandates.json and preferences.json into `federation`. `keep`
    leaves the last three as they are.
    """
    clients = {
        persona.client_id: {
            "key": _public_key(keys / f"{persona.name}.pem", persona.algorithm),
            "subject": persona.subject,
            "scopes": persona.scopes,
            "enterprise": persona.enterprise and persona.enterprise.digits,
            "person": persona.ssin and persona.ssin.digits,
        }
        for persona in PERSONAS.values()
    }
    _audit_key(keys / AUDIT_KEY)
    write_private(federation / "clients.json", json.dumps(clients, indent=2))
    facts = {"partitions": PARTITIONS, "mandates": MANDATES, "preferences": PREFERENCES}
    for name, content in facts.items():
        path = federation / f"{name}.json"
        if not (keep and path.exists()):
            write_private(path, json.dumps(content, indent=2))


def private_key(path: Path, algorithm: str) -> RSAKey | ECKey:
    """The key in this PEM file, for this algorithm: EC needs an object, Authlib takes RSA only."""
    parameters: Any = {"alg": algorithm, "use": "sig"}
    key = RSAKey if algorithm.startswith("RS") else ECKey
    return key.import_key(path.read_bytes(), parameters)


def _audit_key(path: Path) -> None:
    if not path.exists():
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, Ed25519PrivateKey.generate().private_bytes(*form).decode())


def _public_key(path: Path, algorithm: str) -> dict[str, Any]:
    if not path.exists():
        fresh = (
            RSAKey.generate_key(2048)
            if algorithm.startswith("RS")
            else ECKey.generate_key("P-384" if algorithm == "ES384" else "P-521")
        )
        write_private(path, fresh.as_pem(private=True).decode())
    return dict(private_key(path, algorithm).as_dict(private=False))
