"""Errors as version 2.1 shows them: a StatusMessage (contract 6.2)."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import Response

from registry.api.responses.json_response import accepts, is_for_bytes
from registry.api.responses.problems import Problem, write_problem
from registry.api.responses.serializers import get_dumper
from registry.api.v2.schemas.receipts import StatusMessageSchema
from registry.domain.errors import DuplicatePublication

_JSON: Final = "application/json"
_OCTETS: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _StatusMessage:
    occurrence: UUID
    code: str
    message: str
    contact: str | None
    environment: str


@dataclass(frozen=True, slots=True)
class StatusMessages:
    """Writes StatusMessages; the operator says whom to turn to, and the environment."""

    contact: str | None
    environment: str

    def render_problem(self, problem: Problem, occurrence: UUID) -> Response:
        """Render the answer to a request that failed; `occurrence` names it here and in the log."""
        text = _write_text(problem)
        status_message = _StatusMessage(
            occurrence, problem.code, text, self.contact, self.environment
        )
        members = get_dumper(StatusMessageSchema)(status_message, "")
        return write_problem(problem, members, _choose_media_type())


def _choose_media_type() -> str:
    """Choose JSON, or for clients that take nothing but documents the one type 2.1 gives those."""
    return _OCTETS if is_for_bytes() and not accepts(_JSON) and accepts(_OCTETS) else _JSON


def _write_text(problem: Problem) -> str:
    """Write the text; it names the message that a key published first, which no member does."""
    if isinstance(problem.error, DuplicatePublication):
        return f"{problem.message}, for message {problem.error.message_id}"
    return problem.message
