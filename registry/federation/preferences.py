"""Federation WS: whether a recipient ever opened the e-Box, or accepted its terms."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.identifiers import Ebox, EboxKind
from registry.http_client.access_token import OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Answer, Upstream, lied

# What the token must hold (contract 3.4); that consents need no other is our guess.
SCOPE: Final = "scope:documentmanagement:ebox:enterprise:federation-rest:preference"

Entry = dict[str, Any]
_Understand = Callable[[Answer, str], bool]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False, eq=False)
class Preferences:
    """What the federation knows of recipients (contract 3.4); nothing is cached here.

    `consents` says whether citizens are asked about at all (contract 6.21).
    """

    base: str
    own: OwnToken
    upstream: Upstream
    breaker: Breaker
    consents: bool = False

    def is_digital(self, ebox: Ebox) -> bool | None:
        """Whether the owner ever connected, or for a citizen: consented; None when unknown.

        Never raises: a publication does not depend on it (contract 4.12). Within about the
        upstream's timeout.
        """
        if ebox.kind is EboxKind.ENTERPRISE:
            question = {
                "eboxType": "ENTERPRISE",
                "eboxIdType": "EnterpriseNumber",
                "eboxIdValueList": [ebox.number],
            }
            return self._told("/eboxPreferences/search", question, ebox, _connected)
        if self.consents:
            question = {"ssinList": [ebox.number]}
            return self._told("/citizenEboxConsents/search", question, ebox, _consented)
        return None

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _told(self, path: str, question: Entry, ebox: Ebox, understand: _Understand) -> bool | None:
        ask = partial(self._answered, self.base + path, question, ebox.number, understand)
        try:
            with self.breaker.guard():
                return self.upstream.within(ask)
        except (Unavailable, UpstreamInvalid):
            _log.warning("%s: a recipient's are unknown", self.upstream.name)
        return None

    def _answered(
        self, url: str, question: Entry, number: str, understand: _Understand
    ) -> bool | None:
        answer = self.own.spend(lambda bearer: self.upstream.ask(url, bearer, question))
        if answer.dislikes:  # a recipient that it refuses to look for: no illness of its own
            lied(answer.service, f"status {answer.status}")
            return None
        return understand(answer, number)


def _connected(answer: Answer, number: str) -> bool:
    entry = _about(answer, number, lambda entry: entry["eboxId"]["eboxIdValue"])
    connected = entry.get("lastConnectionDate")
    if not isinstance(connected, str | None) or connected == "":
        raise lied(answer.service, "lastConnectionDate is not a date")
    return connected is not None


def _consented(answer: Answer, number: str) -> bool:
    entry = _about(answer, number, lambda entry: entry["ssin"])
    consent = entry.get("consent") if entry else False
    if not isinstance(consent, bool):
        raise lied(answer.service, "consent is neither true nor false")
    return consent


def _about(answer: Answer, number: str, whose: Callable[[Entry], str]) -> Entry:
    """The entry of this recipient, an empty one when the answer is an empty list."""
    entries = answer.elements()
    try:
        found = [entry for entry in entries if whose(entry) == number]
    except (TypeError, LookupError):
        raise lied(answer.service, "an entry that does not say whose it is") from None
    if entries and not found:
        raise lied(answer.service, "entries of others only")
    return found[0] if found else {}
