"""Everything that can go wrong, in our own words; each edge gives it a status."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final
from uuid import UUID

ABSENT: Final = object()  # a value that is missing, or too sensitive to repeat
# Clients may look for these words of what is missing (contract 5).
MISSING_KEYS: Final = "Invalid Schema: required keys not found: "


class IssueKind(StrEnum):
    """The four kinds of input fault of the Belgian REST guide `[err-problem]`."""

    SCHEMA_VIOLATION = "schemaViolation"
    INVALID_INPUT = "invalidInput"
    UNKNOWN_INPUT = "unknownInput"
    REFERENCED_RESOURCE_NOT_FOUND = "referencedResourceNotFound"


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of a request: `where` is body, header, path or query, `name` the member.

    `code` is what StatusMessage readers know it by (contract 5); `is_missing`: it is not there.
    """

    where: str
    name: str
    detail: str
    kind: IssueKind = IssueKind.SCHEMA_VIOLATION
    value: Any = ABSENT
    code: str = "INVALID_INPUT"
    is_missing: bool = False


class SettingsError(Exception):
    """One or more settings are missing or wrong; `faults` has a line for each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class KeyUnusable(ValueError):
    """The key cannot be read, or does not fit its algorithm; the text names the file only."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The key in {path} cannot be used: {reason}.")


class RegistryError(Exception):
    """The request cannot be honoured."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or cleandoc(type(self).__doc__ or "")
        super().__init__(self.detail)


class Invalid(RegistryError):
    """The input message is incorrect"""

    def __init__(self, issues: Iterable[Issue], *, code: str | None = None) -> None:
        super().__init__()
        self.issues = tuple(issues)
        # A StatusMessage tells one fault, the first: its code goes with its text.
        self.code = code or next((issue.code for issue in self.issues), "INVALID_INPUT")


class TooLarge(RegistryError):
    """The request, or a part of it, is too large."""

    def __init__(self, limit: int, what: str) -> None:
        super().__init__(f"{what} must not exceed {_size(limit)}")
        self.limit = limit  # bytes


class RequestTimeout(RegistryError):
    """The request was sent too slowly"""


class UnsupportedMediaType(RegistryError):
    """The body has a media type that this operation does not read"""


class MalwareFound(RegistryError):
    """A document contains malware; nothing was stored"""


class NotScanned(RegistryError):
    """The malware scanner did not look at a whole document; nothing was stored"""


class DuplicatePublication(RegistryError):
    """The Idempotency-Key was used before by this sender application"""

    def __init__(self, message_id: UUID) -> None:
        super().__init__()
        self.message_id = message_id  # of the message that the key published first


class ReplyNotAuthorized(RegistryError):
    """The sender does not accept replies to this message"""


class SenderSuspended(RegistryError):
    """The operator of this registry has suspended this sender or sender application"""


class TokenMissing(RegistryError):
    """No Bearer access token found in Authorization HTTP header"""


class TokenInvalid(RegistryError):
    """The Bearer access token found in the Authorization HTTP header is invalid"""


class TokenExpired(RegistryError):
    """The Bearer access token found in the Authorization HTTP header has expired"""


class ScopeMissing(RegistryError):
    """The access token lacks a scope that opens this operation."""

    def __init__(self, scopes: Iterable[str]) -> None:
        super().__init__()
        self.scopes = tuple(scopes)  # of which one would do


class PermissionMissing(RegistryError):
    """The caller has no right on this resource."""


class NotFound(RegistryError):
    """The requested resource does not exist."""

    def __init__(
        self, name: str, value: str, detail: str | None = None, *, where: str = "path"
    ) -> None:
        super().__init__(detail)
        self.name, self.value, self.where = name, value, where


class TooManyRequests(RegistryError):
    """The quota of requests is used up."""

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(f"Quota of {limit} requests reached, retry in {retry_after} seconds")
        self.limit, self.retry_after = limit, retry_after


class TooManyAtOnce(RegistryError):
    """Too many costly requests at a time."""

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(f"At most {limit} searches, far pages or counts at a time")
        self.limit, self.retry_after = limit, retry_after


class DocumentUnavailable(RegistryError):
    """The document is promised by its message but could not be read from storage."""


class DocumentAltered(DocumentUnavailable):
    """The document that storage has is not the one that was published."""


class DocumentNotStored(RegistryError):
    """Storage did not get a document as it was sent; nothing was published, try again"""


class UpstreamInvalid(RegistryError):
    """Error in communication with upstream service"""


class Unavailable(RegistryError):
    """A service this registry depends on does not answer; try again later."""


class StoreUnfit(Unavailable):
    """A store answers and will not do, which does not pass by waiting; no call raises it."""


class UploadNotKept(Unavailable):
    """The upload took too long, and its documents are not kept."""


def _size(limit: int) -> str:
    for bits, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        whole, rest = divmod(limit, 1 << bits)
        if whole and not rest:
            return f"{whole} {unit}"
    return f"{limit} bytes"
