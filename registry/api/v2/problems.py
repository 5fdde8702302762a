"""Errors as version 2.1 shows them: a StatusMessage (contract 6.2)."""

from dataclasses import dataclass
from uuid import UUID

from flask import Response

from registry.api.responses.problems import Problem, written
from registry.api.responses.serializers import dumper
from registry.api.v2.schemas.receipts import StatusMessageSchema
from registry.domain.errors import DuplicatePublication


@dataclass(frozen=True, slots=True)
class _StatusMessage:
    occurrence: UUID
    code: str
    message: str
    contact: str | None
    environment: str


@dataclass(frozen=True, slots=True)
class StatusMessages:
    """Makes them; whom to turn to and where it happened is the operator's to say."""

    contact: str | None
    environment: str

    def status_message(self, problem: Problem, occurrence: UUID) -> Response:
        """The answer to a request that failed; `occurrence` names it here and in the log."""
        text = _text(problem)
        told = _StatusMessage(occurrence, problem.code, text, self.contact, self.environment)
        return written(problem, dumper(StatusMessageSchema)(told, ""), "application/json")


def _text(problem: Problem) -> str:
    """It has no member for the message that a key published first: the text names that."""
    if isinstance(problem.error, DuplicatePublication):
        return f"{problem.message}, for message {problem.error.message_id}"
    return problem.message
