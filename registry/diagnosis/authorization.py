"""The authorization server: does it know us, give the scopes we need, and look at tokens for us?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from authlib.oauth2.rfc7523.client import ASSERTION_TYPE

from registry.diagnosis.neighbours import Neighbour
from registry.domain.diagnoses import Cause, Diagnosis
from registry.domain.errors import UpstreamInvalid
from registry.federation.token_claims import TokenRequirements, judge_claims
from registry.http_client.access_token import BEARER, Identity
from registry.http_client.probe import ProbeFailure, ProbeReply
from registry.wiring.clock import now

# What is refused, by the codes of RFC 6749 section 5.2.
_OF_PROOF: Final = ("invalid_client", "invalid_grant")
_OF_SCOPE: Final = ("invalid_scope", "unauthorized_client")
_PROOF_VARIABLES: Final = ("REGISTRY_OAUTH_CLIENT_ID", "REGISTRY_OAUTH_KEY_PATH")


class TokenRefusal(Exception):
    """The authorization server gives us none, as `diagnosis` says."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(diagnosis.cause)
        self.diagnosis = diagnosis


@dataclass(frozen=True)
class TokenDesk:
    """Gets our own tokens, one for each scope, however many checks want it."""

    server: Neighbour
    identity: Identity
    key_name: str  # of the file with our key, and its fingerprint
    _outcomes: dict[str | None, str | Diagnosis] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock)

    def get(self, scope: str | None) -> str:
        """Get a token of this scope, None for all that was granted; raises `TokenRefusal`."""
        with self._lock:
            if scope not in self._outcomes:
                self._outcomes[scope] = self._ask(scope)
            outcome = self._outcomes[scope]
        if isinstance(outcome, Diagnosis):
            raise TokenRefusal(outcome)
        return outcome

    def diagnose(self, scopes: Mapping[str, str | None]) -> Iterator[Diagnosis]:
        """Say why there are no tokens of these scopes, by the variable that names each.

        A server that gives none at all is told once.
        """
        earlier: set[Diagnosis] = set()
        for variable, scope in scopes.items():
            try:
                self.get(scope)
            except TokenRefusal as error:
                diagnosis = error.diagnosis
                if diagnosis.cause is Cause.RIGHT_DENIED and scope:
                    diagnosis = self._deny(variable, scope)
                if diagnosis not in earlier:
                    earlier.add(diagnosis)
                    yield diagnosis

    def _ask(self, scope: str | None) -> str | Diagnosis:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.identity.sign_assertion(self.server.url, now()),
            **({"scope": scope} if scope else {}),
        }
        try:
            reply = self.server.call("POST", data=form)
        except ProbeFailure as error:
            return self.server.diagnose(error)
        members = reply.read_json()
        if reply.status == 200 and isinstance(members, dict):
            token = members.get("access_token")
            if isinstance(token, str) and BEARER.fullmatch(token):
                return token
        return self._explain(reply, members)

    def _explain(self, reply: ProbeReply, members: Any) -> Diagnosis:
        code = members.get("error") if isinstance(members, dict) else None
        blame = self.server.blame
        if code in _OF_PROOF:
            reason = (
                f"It does not accept our proof ({code}): it knows no client"
                f" {self.identity.client_id}, or by another key than that in {self.key_name}."
            )
            remedy = (
                f"Have this key registered for {self.identity.client_id}, or name client and key"
                " that are; look at this machine's clock too."
            )
            return blame(reply, Cause.CREDENTIALS_REFUSED, reason, remedy, *_PROOF_VARIABLES)
        if code in _OF_SCOPE:
            reason = f"{self.identity.client_id} may have no such token ({code})."
            remedy = f"Have the scopes granted to {self.identity.client_id} during onboarding."
            return blame(reply, Cause.RIGHT_DENIED, reason, remedy, _PROOF_VARIABLES[0])
        reason = "What it answers is no answer of a token endpoint."
        remedy = f"Correct {self.server.place.variable}."
        return self.server.judge(reply) or blame(reply, Cause.ANOTHER_SERVICE, reason, remedy)

    def _deny(self, variable: str, scope: str) -> Diagnosis:
        client = self.identity.client_id
        return Diagnosis(
            (variable, _PROOF_VARIABLES[0]),
            f"The {self.server.name} gives {client} no token of the scope {scope}.",
            Cause.RIGHT_DENIED,
            f"The scope is not granted to {client}, or not known there.",
            f"Have it granted to {client} during onboarding, or correct {variable}.",
        )


@dataclass(frozen=True)
class IntrospectionInspection:
    """Has a token of our own looked at; `number` is that of the enterprise of our certificate."""

    service: Neighbour
    desk: TokenDesk
    scope: str
    requirements: TokenRequirements
    number: str | None

    def look(self) -> Iterator[Diagnosis]:
        """Say what keeps tokens from being looked at."""
        try:
            token = self.desk.get(self.scope)
        except TokenRefusal:  # which is told elsewhere
            yield from self.service.reach()
            return
        try:
            reply = self.service.call("POST", "", token, data={"token": token})
        except ProbeFailure as error:
            yield self.service.diagnose(error)
            return
        yield from self._judge(reply)

    def _judge(self, reply: ProbeReply) -> Iterator[Diagnosis]:
        variable, client = self.service.place.variable, self.desk.identity.client_id
        if reply.status in (401, 403):
            reason = f"The right to look at tokens is denied to {client}: the scope {self.scope}."
            remedy = f"Have that scope granted to {client}, or correct the variable."
            denial = (Cause.RIGHT_DENIED, reason, remedy, "REGISTRY_OAUTH_INTROSPECT_SCOPE")
            yield self.service.blame(reply, *denial)
            return
        if diagnosis := self.service.judge(reply):
            yield diagnosis
            return
        claims = reply.read_json()
        if reply.status != 200 or not isinstance(claims, dict) or "active" not in claims:
            reason = "What it answers is no answer of an introspection (RFC 7662)."
            yield self.service.blame(reply, Cause.ANOTHER_SERVICE, reason, f"Correct {variable}.")
            return
        yield from self._judge_claims(reply, claims)

    def _judge_claims(self, reply: ProbeReply, claims: dict[str, Any]) -> Iterator[Diagnosis]:
        try:
            caller = judge_claims(claims, "", self.requirements, now())
        except UpstreamInvalid:
            reason = "A claim of a token that was just given to us is not as we read it."
            remedy = "Correct the settings of claims: the log says which one is odd."
            variables = ("REGISTRY_ENTERPRISE_CLAIM", "REGISTRY_PERSON_CLAIM")
            yield self.service.blame(reply, Cause.NOT_FIT, reason, remedy, *variables)
            return
        enterprise = getattr(caller, "enterprise", None)
        if enterprise and self.number and enterprise.digits != self.number:
            reason = (
                f"Our token is one of enterprise {enterprise.digits}, and the certificate with our"
                f" key one of {self.number}."
            )
            remedy = "Name the client and the certificate of one enterprise."
            yield self.service.blame(
                reply, Cause.CERTIFICATE_UNFIT, reason, remedy, *_PROOF_VARIABLES
            )
