"""The types of problem, and the one of each error; each version has its own shape for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from registry.domain import errors
from registry.domain.errors import RegistryError


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A type of problem: its name, title, status, and the code that StatusMessage readers know.

    The name is one of the Belgian guide unless it `is_own` (contract 6.35).
    """

    name: str
    title: str
    status: HTTPStatus
    code: str
    is_own: bool = False


def _belgif(name: str, title: str, status: HTTPStatus, code: str) -> ProblemKind:
    return ProblemKind(name, title, status, code)


def _own(name: str, title: str, status: HTTPStatus, code: str) -> ProblemKind:
    return ProblemKind(name, title, status, code, is_own=True)


INTERNAL: Final = _belgif(
    "internalServerError",
    "Internal Server Error",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "INTERNAL_SERVER_ERROR",
)
NOT_FOUND: Final = _belgif(
    "resourceNotFound", "Resource Not Found", HTTPStatus.NOT_FOUND, "RESOURCE_NOT_FOUND"
)
_BAD_REQUEST: Final = _belgif("badRequest", "Bad Request", HTTPStatus.BAD_REQUEST, "INVALID_INPUT")
_TOO_LARGE: Final = _belgif(
    "payloadTooLarge",
    "Payload Too Large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "PAYLOAD_TOO_LARGE",
)
_UNSUPPORTED_MEDIA_TYPE: Final = _own(
    "unsupportedMediaType",
    "Unsupported Media Type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "UNSUPPORTED_MEDIA_TYPE",
)

_TOO_MANY_REQUESTS: Final = _belgif(
    "tooManyRequests", "Too Many Requests", HTTPStatus.TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS"
)
_UNAVAILABLE: Final = _belgif(
    "serviceUnavailable",
    "Service is unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "SERVICE_UNAVAILABLE",
)
_DOCUMENT_UNAVAILABLE: Final = _own(
    "documentUnavailable", "Document Unavailable", HTTPStatus.BAD_GATEWAY, "DOCUMENT_UNAVAILABLE"
)

# One line per error; a test proves that none is missing.
KINDS: Final[Mapping[type[RegistryError], ProblemKind]] = {
    errors.Invalid: _BAD_REQUEST,
    errors.TooLarge: _TOO_LARGE,
    errors.RequestTimeout: _own(
        "requestTimeout", "Request Timeout", HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT"
    ),
    errors.UnsupportedMediaType: _UNSUPPORTED_MEDIA_TYPE,
    errors.MalwareFound: _own(
        "malwareFound", "Malware found", HTTPStatus.BAD_REQUEST, "MALWARE_FOUND"
    ),
    errors.NotScanned: _own(
        "documentNotScanned",
        "Document not scanned",
        HTTPStatus.BAD_REQUEST,
        "DOCUMENT_NOT_SCANNED",
    ),
    errors.DuplicatePublication: _own(
        "duplicatePublication",
        "Duplicate publication",
        HTTPStatus.CONFLICT,
        "DUPLICATE_PUBLICATION",
    ),
    errors.ReplyNotAuthorized: _own(
        "replyNotAuthorized", "Reply not authorized", HTTPStatus.CONFLICT, "REPLY_NOT_AUTHORIZED"
    ),
    errors.SenderSuspended: _own(
        "senderSuspended", "Sender suspended", HTTPStatus.FORBIDDEN, "SENDER_SUSPENDED"
    ),
    errors.TokenMissing: _belgif(
        "noAccessToken", "No Access Token", HTTPStatus.UNAUTHORIZED, "NO_ACCESS_TOKEN"
    ),
    errors.TokenInvalid: _belgif(
        "invalidAccessToken",
        "Invalid Access Token",
        HTTPStatus.UNAUTHORIZED,
        "INVALID_ACCESS_TOKEN",
    ),
    errors.TokenExpired: _belgif(
        "expiredAccessToken",
        "Expired Access Token",
        HTTPStatus.UNAUTHORIZED,
        "EXPIRED_ACCESS_TOKEN",
    ),
    errors.ScopeMissing: _belgif(
        "missingScope", "Missing Scope", HTTPStatus.FORBIDDEN, "MISSING_SCOPE"
    ),
    errors.PermissionMissing: _belgif(
        "missingPermission", "Missing Permission", HTTPStatus.FORBIDDEN, "MISSING_PERMISSION"
    ),
    errors.NotFound: NOT_FOUND,
    errors.TooManyRequests: _TOO_MANY_REQUESTS,
    errors.TooManyAtOnce: _TOO_MANY_REQUESTS,
    errors.DocumentUnavailable: _DOCUMENT_UNAVAILABLE,
    errors.DocumentAltered: _DOCUMENT_UNAVAILABLE,
    errors.DocumentNotStored: _own(
        "documentNotStored",
        "Document not stored",
        HTTPStatus.BAD_GATEWAY,
        "DOCUMENT_NOT_STORED",
    ),
    errors.UpstreamInvalid: _belgif(
        "badGateway", "Bad Gateway", HTTPStatus.BAD_GATEWAY, "BAD_GATEWAY"
    ),
    errors.Unavailable: _UNAVAILABLE,
    errors.UploadNotKept: _UNAVAILABLE,
}

# What Flask and werkzeug raise by themselves.
HTTP_KINDS: Final[Mapping[int, ProblemKind]] = {
    400: _BAD_REQUEST,
    404: NOT_FOUND,
    405: _own(
        "methodNotAllowed",
        "Method Not Allowed",
        HTTPStatus.METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
    ),
    406: _own("notAcceptable", "Not Acceptable", HTTPStatus.NOT_ACCEPTABLE, "NOT_ACCEPTABLE"),
    412: _own(
        "preconditionFailed",
        "Precondition Failed",
        HTTPStatus.PRECONDITION_FAILED,
        "PRECONDITION_FAILED",
    ),
    413: _TOO_LARGE,
    415: _UNSUPPORTED_MEDIA_TYPE,
    416: _own(
        "rangeNotSatisfiable",
        "Range Not Satisfiable",
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "RANGE_NOT_SATISFIABLE",
    ),
}
