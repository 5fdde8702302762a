"""The registry as a browser of the portal sees it from outside: headers of CORS and caches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from registry.diagnosis.authorization import TokenDesk, TokenRefusal
from registry.domain.report_lines import Grade, ReportLine
from registry.http_client.probe import Probe, ProbeFailure, ProbeReply

CORS: Final = "CORS from outside"
CACHES: Final = "cache headers from outside"
_NO_ANSWER: Final = "Look at the line of the public address."
_WISH: Final = {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}
_PROXY: Final = "See that no proxy before the registry takes these headers away or adds its own."


@dataclass(frozen=True)
class OutsideInspection:
    """Asks the public address `url`, with the base path of an e-Box family, as the portal would.

    `desk` gets our own token, for reference data; None where there is none to have. `is_real` says
    that there is a portal.
    """

    url: str
    origin: str | None
    probe: Probe
    desk: TokenDesk | None
    is_real: bool

    def look(self) -> Iterator[ReportLine]:
        """Say which headers are not as a browser needs them."""
        if self.origin is None:
            sight = "REGISTRY_CORS_ORIGINS names no origin: no page of the portal may call us."
            remedy = "Set it to the origins of the portal, as deploy/environments has them."
            grade = Grade.FAIL if self.is_real else Grade.WARN
            yield ReportLine(CORS, grade, sight, remedy)
        else:
            yield self._inspect_cors(self.origin)
        yield self._inspect_caches()

    def _inspect_cors(self, origin: str) -> ReportLine:
        try:
            reply = self._ask("OPTIONS", "/v3/ebox/messages", {"Origin": origin, **_WISH})
            another = self._ask("OPTIONS", "/v3/ebox/messages", {"Origin": _STRANGER, **_WISH})
        except ProbeFailure as error:
            return ReportLine(CORS, Grade.FAIL, f"{error.failure.cause}.", _NO_ANSWER)
        faults = []
        if reply.headers.get("Access-Control-Allow-Origin") != origin:
            faults.append(f"{origin} is not let in")
        if "authorization" not in reply.headers.get("Access-Control-Allow-Headers", "").lower():
            faults.append("no page may send Authorization")
        if another.headers.get("Access-Control-Allow-Origin") in (_STRANGER, "*"):
            faults.append("pages of everybody are let in")
        if faults:
            return ReportLine(CORS, Grade.FAIL, f"{'; '.join(faults)}.", _PROXY)
        return ReportLine(CORS, Grade.PASS, f"Pages of {origin} may call, others may not.")

    def _inspect_caches(self) -> ReportLine:
        try:
            private = self._ask("GET", "/v3/ebox/messages", {})
            reference = self._ask("GET", "/v3/refData/messageTypes", {}, self._get_token())
        except ProbeFailure as error:
            return ReportLine(CACHES, Grade.FAIL, f"{error.failure.cause}.", _NO_ANSWER)
        faults = []
        if "no-store" not in _read_caching(private):
            faults.append(f"what is of one e-Box says {_read_caching(private) or 'nothing'}")
        if reference.status == 200 and "public" not in _read_caching(reference):
            faults.append(f"reference data say {_read_caching(reference) or 'nothing'}")
        if faults:
            return ReportLine(CACHES, Grade.FAIL, f"To caches {'; '.join(faults)}.", _PROXY)
        rest = (
            "reference data: public"
            if reference.status == 200
            else "reference data: not open to our own token"
        )
        return ReportLine(CACHES, Grade.PASS, f"What is of an e-Box: no-store; {rest}.")

    def _get_token(self) -> str | None:
        try:
            return self.desk.get(None) if self.desk else None
        except TokenRefusal:  # which is told elsewhere
            return None

    def _ask(
        self, method: str, path: str, headers: dict[str, str], token: str | None = None
    ) -> ProbeReply:
        return self.probe.call(method, self.url + path, token, headers=headers)


_STRANGER: Final = "https://pages-of-a-stranger.invalid"


def _read_caching(reply: ProbeReply) -> str:
    return reply.headers.get("Cache-Control", "").lower()
