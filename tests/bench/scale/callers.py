"""Callers whom the stand-ins know: software and persons of some e-Boxes, and a sender."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from registry.sandbox.files import write_private
from registry.sandbox.personas import (
    ACCOUNTANT,
    CONSUMER,
    PARTITIONS,
    PERSONAS,
    PORTAL,
    REFERENCE,
    SENDER,
    private_key,
)
from registry.sandbox.tokens import fetch, sign_in
from tests.bench.scale.eboxes import FilledEbox

_KEY_OF: Final = PERSONAS["enterprise-consumer"]  # whose key all our clients share
_LIFETIME: Final = 24 * 3600  # seconds of a token
_READABLE: Final = ["GENERAL", "HR"]  # by the persons of the portal, and not FINANCE


class Callers:
    """Their tokens, fetched once."""

    def __init__(self, token_url: str, keys: Path) -> None:
        self._token_url, self._keys = token_url, keys
        self._tokens: dict[tuple[str, str], str] = {}

    def consumer(self, ebox: FilledEbox) -> str:
        """A token of the software of the e-Box's owner, which sees all partitions."""
        return self._fetch_token("consumer", ebox)

    def person(self, ebox: FilledEbox) -> str:
        """A token of a person in the portal, who sees two partitions of three."""
        return self._fetch_token("person", ebox)

    def sender(self) -> str:
        """A token of the agency's software, fresh."""
        return fetch(self._token_url, PERSONAS["sender"], self._keys, scopes=[SENDER])

    def _fetch_token(self, kind: str, ebox: FilledEbox) -> str:
        name = (kind, ebox.key)
        if name not in self._tokens:
            key = private_key(self._keys / f"{_KEY_OF.name}.pem", _KEY_OF.algorithm)
            client = f"bench-{kind}-{ebox.number}"
            self._tokens[name] = sign_in(self._token_url, client, key, _KEY_OF.algorithm)
        return self._tokens[name]


def enroll_readers(folder: Path, eboxes: Iterable[FilledEbox]) -> None:
    """Have the stand-ins know the whale and the readers, and who reads what there."""
    path = folder / "clients.json"
    clients = json.loads(path.read_text())
    key = clients[_KEY_OF.client_id]["key"]
    partitions = dict(PARTITIONS)
    for ebox in eboxes:
        facts = {"key": key, "enterprise": ebox.number, "lifetime": _LIFETIME}
        consumer, person = f"bench-consumer-{ebox.number}", f"bench-person-{ebox.number}"
        clients[consumer] = {**facts, "subject": consumer, "scopes": [CONSUMER]}
        clients[person] = {
            **facts,
            "subject": ACCOUNTANT.digits,
            "person": ACCOUNTANT.digits,
            "scopes": [PORTAL, REFERENCE],
        }
        partitions[ebox.number] = {
            "partitions": [*_READABLE, "FINANCE"],
            "users": {ACCOUNTANT.digits: _READABLE},
            "routingRules": [],
        }
    write_private(path, json.dumps(clients))
    write_private(folder / "partitions.json", json.dumps(partitions))
