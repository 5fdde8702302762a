"""Federation WS: it knows who ever opened the e-Box, or accepted its terms."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.identifiers import Ebox, EboxKind
from registry.http_client.access_token import OwnToken
from registry.http_client.breaker import Breaker
from registry.http_client.client import Answer, Upstream, report_invalid
from registry.http_client.deadlines import Deadline
from registry.telemetry.watch import Watch

# What the token must hold (contract 3.4); that consents need no other is our guess.
SCOPE: Final = "scope:documentmanagement:ebox:enterprise:federation-rest:preference"

Entry = dict[str, Any]
_ReadAnswer = Callable[[Answer, str], bool]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False, eq=False)
class PreferencesClient:
    """The federation's knowledge of recipients (contract 3.4); nothing is cached here.

    `consents` true asks about citizens too (contract 6.21).
    """

    base: str
    own: OwnToken
    upstream: Upstream
    breaker: Breaker
    consents: bool = False

    def is_digital(self, ebox: Ebox) -> bool | None:
        """Tell if the owner ever connected, or for a citizen: consented; None when unknown.

        Never raises: a publication does not depend on it (contract 4.12). Within about the
        upstream's timeout.
        """
        if ebox.kind is EboxKind.ENTERPRISE:
            question = {
                "eboxType": "ENTERPRISE",
                "eboxIdType": "EnterpriseNumber",
                "eboxIdValueList": [ebox.number],
            }
            return self._ask("/eboxPreferences/search", question, ebox, _read_connection)
        if self.consents:
            question = {"ssinList": [ebox.number]}
            return self._ask("/citizenEboxConsents/search", question, ebox, _read_consent)
        return None

    def close(self) -> None:
        """Close threads and connections."""
        self.upstream.close()

    def _ask(self, path: str, question: Entry, ebox: Ebox, reader: _ReadAnswer) -> bool | None:
        ask = partial(self._call, self.base + path, question, ebox.number, reader)
        try:
            with self.breaker.guard(), Watch(self.upstream.name, "search"):
                return self.upstream.within(ask)
        except (Unavailable, UpstreamInvalid):
            _log.warning("%s: a recipient's are unknown", self.upstream.name)
        return None

    def _call(
        self, url: str, question: Entry, number: str, reader: _ReadAnswer, deadline: Deadline
    ) -> bool | None:
        answer = self.own.call_with_token(
            lambda bearer: self.upstream.ask(url, bearer, question, deadline)
        )
        if answer.is_refusal:  # a recipient that it refuses to look for: no illness of its own
            report_invalid(answer.service, f"status {answer.status}")
            return None
        return reader(answer, number)


def _read_connection(answer: Answer, number: str) -> bool:
    entry = _find_entry(answer, number, lambda entry: entry["eboxId"]["eboxIdValue"])
    connection_date = entry.get("lastConnectionDate")
    if not isinstance(connection_date, str | None) or connection_date == "":
        raise report_invalid(answer.service, "lastConnectionDate is not a date")
    return connection_date is not None


def _read_consent(answer: Answer, number: str) -> bool:
    entry = _find_entry(answer, number, lambda entry: entry["ssin"])
    consent = entry.get("consent") if entry else False
    if not isinstance(consent, bool):
        raise report_invalid(answer.service, "consent is neither true nor false")
    return consent


def _find_entry(answer: Answer, number: str, whose: Callable[[Entry], str]) -> Entry:
    """Find the entry of this recipient, an empty one when the answer is an empty list."""
    entries = answer.elements()
    try:
        matches = [entry for entry in entries if whose(entry) == number]
    except (TypeError, LookupError):
        raise report_invalid(answer.service, "an entry that does not say whose it is") from None
    if entries and not matches:
        raise report_invalid(answer.service, "entries of others only")
    return matches[0] if matches else {}
