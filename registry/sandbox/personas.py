"""The parties of the sandbox, all fictional: who they are, what they may, their keys."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey, RSAKey

from registry.domain.identifiers import EnterpriseNumber, Ssin
from registry.sandbox.federation.addresses import INTROSPECT_SCOPE
from registry.sandbox.files import write_private

_CONSULT: Final = "scope:document:management:consult:ws-eboxrestentreprise"
CONSUMER: Final = f"{_CONSULT}:documentconsumer"
PORTAL: Final = f"{_CONSULT}:messagesfull"
REFERENCE: Final = f"{_CONSULT}:referencedata"
SENDER: Final = f"{_CONSULT}:publicationsender"

BAKERY: Final = EnterpriseNumber.parse("0999910048")
GARAGE: Final = EnterpriseNumber.parse("0999920738")
AGENCY: Final = EnterpriseNumber.parse("1999930063")
CLUB: Final = EnterpriseNumber.parse("0999940039")
PROVIDER: Final = EnterpriseNumber.parse("1999955502")
ACCOUNTANT: Final = Ssin.parse("85041299768")
CITIZEN: Final = Ssin.parse("01092399676")

# The partitions of contract 4.24, and who may read them.
PARTITIONS: Final[dict[str, dict[str, Any]]] = {
    BAKERY.digits: {
        "partitions": ["GENERAL", "partitionB", "partitionToDelete", "partitionNoAccess"],
        "users": {ACCOUNTANT.digits: ["GENERAL", "partitionB", "partitionToDelete"]},
    },
    **{
        enterprise.digits: {"partitions": ["GENERAL"], "users": {}}
        for enterprise in (GARAGE, AGENCY, CLUB)
    },
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
        """What sandbox.json says of this persona."""
        found: dict[str, Any] = {"clientId": self.client_id}
        if self.enterprise:
            found["enterpriseNumber"] = self.enterprise.digits
        if self.ssin:
            found["ssin"] = self.ssin.digits
        return {**found, "scopes": list(self.scopes)}


PERSONAS: Final = {
    persona.name: persona
    for persona in (
        Persona("enterprise-consumer", "software of a bakery", (CONSUMER,), BAKERY),
        Persona(
            "portal-user",
            "the bakery's accountant in the portal; may not read partitionNoAccess",
            (PORTAL, REFERENCE),
            BAKERY,
            ACCOUNTANT,
        ),
        Persona("other-enterprise", "software of a garage", (CONSUMER,), GARAGE, algorithm="ES384"),
        Persona("citizen", "a citizen in the portal", (PORTAL, REFERENCE), ssin=CITIZEN),
        Persona("sender", "an agency that sends documents", (SENDER, REFERENCE), AGENCY),
        Persona("no-scope", "software of a club that was granted nothing", (), CLUB),
        Persona("registry", "this registry itself", (INTROSPECT_SCOPE,), PROVIDER),
    )
}


def enroll(keys: Path, federation: Path) -> None:
    """Make the keys that are not there yet and tell the stand-ins about everybody.

    Writes NAME.pem for each into `keys`, readable by us alone, and clients.json and
    partitions.json into `federation`.
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
    write_private(federation / "clients.json", json.dumps(clients, indent=2))
    write_private(federation / "partitions.json", json.dumps(PARTITIONS, indent=2))


def private_key(path: Path, algorithm: str) -> RSAKey | ECKey:
    """The key in this PEM file, for this algorithm: EC needs an object, Authlib takes RSA only."""
    parameters: Any = {"alg": algorithm, "use": "sig"}
    key = RSAKey if algorithm.startswith("RS") else ECKey
    return key.import_key(path.read_bytes(), parameters)


def _public_key(path: Path, algorithm: str) -> dict[str, Any]:
    if not path.exists():
        fresh = (
            RSAKey.generate_key(2048)
            if algorithm.startswith("RS")
            else ECKey.generate_key("P-384" if algorithm == "ES384" else "P-521")
        )
        write_private(path, fresh.as_pem(private=True).decode())
    return dict(private_key(path, algorithm).as_dict(private=False))
