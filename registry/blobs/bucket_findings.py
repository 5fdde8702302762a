"""Findings about a bucket: what it has, what a key may do there, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from botocore.exceptions import ClientError

# What S3 says of a key that it does not know, or that is over: no right of it can be tried.
_BAD_KEYS: Final = {
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
_NOT_OFFERED: Final = {"NotImplemented", "MethodNotAllowed"}


class BucketOutcome(StrEnum):
    """Outcomes; only what is missing keeps a registry from its work."""

    OK = "ok"
    MADE = "made"
    WARNING = "warning"
    UNKNOWN = "unknown"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketFinding:
    """A finding about one subject: a property, such as versioning, or a call, such as PutObject.

    `action` is the right, as policies name it, and `need` what cannot be done without it.
    """

    bucket: str
    subject: str
    outcome: BucketOutcome
    detail: str = ""
    action: str | None = None
    need: str | None = None


def get_code(error: ClientError) -> str:
    """Get what S3 calls an error; a status where it has no more to say."""
    return str(error.response.get("Error", {}).get("Code", "?"))


def is_denied(error: ClientError) -> bool:
    """Tell if S3 says that this key may not; raises the error itself for a key that is no key."""
    if get_code(error) in _BAD_KEYS:
        raise error
    return get_code(error) in ("AccessDenied", "403", "AllAccessDisabled", "UnauthorizedAccess")


def is_not_offered(error: ClientError) -> bool:
    """Tell if the store does not know of such a thing."""
    return get_code(error) in _NOT_OFFERED
