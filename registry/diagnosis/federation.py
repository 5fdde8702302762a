"""Partition API, preferences and event service: each is asked what changes and tells nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from registry.diagnosis.authorization import TokenDesk, TokenRefusal
from registry.diagnosis.neighbours import Neighbour
from registry.domain.diagnoses import Cause, Diagnosis
from registry.http_client.probe import ProbeFailure, ProbeReply

# The National Social Security Office, whose services these are: its e-Box is asked about.
ASKED_ABOUT: Final = "0206731645"


@dataclass(frozen=True)
class Question:
    """A question to a service, with the scope of our token that it needs, if any is named.

    `may_be_empty` allows 404 with a JSON body, which says that there is no such e-Box; without
    `has_bearer` we are known by our certificate alone.
    """

    method: str
    path: str
    content: Mapping[str, Any] = field(default_factory=dict)
    scope: str | None = None
    scope_variable: str | None = None
    may_be_empty: bool = False
    has_bearer: bool = True


@dataclass(frozen=True)
class FederalService:
    """One of them, and what it is asked."""

    neighbour: Neighbour
    desk: TokenDesk | None
    question: Question

    def look(self) -> Iterator[Diagnosis]:
        """Say what keeps it from answering us."""
        question = self.question
        try:
            token = self.desk.get(question.scope) if self.desk and question.has_bearer else None
        except TokenRefusal:  # which is told elsewhere
            yield from self.neighbour.reach()
            return
        try:
            reply = self.neighbour.call(question.method, question.path, token, **question.content)
        except ProbeFailure as error:
            yield self.neighbour.diagnose(error)
            return
        if diagnosis := self._judge(reply):
            yield diagnosis

    def _judge(self, reply: ProbeReply) -> Diagnosis | None:
        if reply.status in (401, 403):
            return self._deny(reply)
        is_empty = reply.status == 404 and isinstance(reply.read_json(), dict)
        if self.question.may_be_empty and is_empty:
            return None
        return self.neighbour.judge(reply)

    def _deny(self, reply: ProbeReply) -> Diagnosis:
        question = self.question
        client = "our certificate"
        if self.desk and question.has_bearer:
            client = self.desk.identity.client_id
        scope = f" with the scope {question.scope}" if question.scope else ""
        reason = f"The right to {question.method} is denied to {client}{scope}."
        if reply.status == 401:
            reason = f"The token of {client}{scope} is not accepted there."
        remedy = f"Have {client} granted the right to the {self.neighbour.name} during onboarding."
        variables = [question.scope_variable] if question.scope_variable else []
        return self.neighbour.blame(reply, Cause.RIGHT_DENIED, reason, remedy, *variables)
