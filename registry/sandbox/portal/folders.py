"""The partitions that a persona may read, as the portal asks the Partition API for them."""

from typing import Final
from urllib.parse import quote

import requests

from registry.domain.identifiers import EboxKind
from registry.sandbox.federation.addresses import PARTITION
from registry.sandbox.layout import Document, stand_ins
from registry.sandbox.portal.roles import PortalRole

_TIMEOUT: Final = 10  # seconds


def ask(document: Document, role: PortalRole, token: str) -> list[str]:
    """Ask for the names, GENERAL first; a citizen has none, nor an enterprise that is not known."""
    if role.kind is EboxKind.CITIZEN:
        return []
    person = role.persona.ssin
    users = f"/users/{quote(person.digits)}" if person else ""
    with requests.Session() as session:
        session.trust_env = False  # it is on loopback, whatever proxy is set
        answer = session.get(
            f"{stand_ins(document)}{PARTITION}/ebox/{quote(role.number)}{users}/partitions",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
        )
    items = answer.json().get("items", []) if answer.ok else []
    return [str(item["partition"]) for item in items]
