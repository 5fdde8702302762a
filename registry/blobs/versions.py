"""Versions that S3 keeps under one key, Object Lock, and legal hold."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from registry.blobs import Retention
from registry.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NO_LOCK_CODE: Final = "ObjectLockConfigurationNotFoundError"
_NOT_FOUND_CODES: Final = {"404", "NoSuchKey", "NoSuchVersion"}


def make_lock(retention: Retention, now: datetime) -> dict[str, Any]:
    """Make the arguments that have an object kept."""
    return {
        "ObjectLockMode": retention.mode,
        "ObjectLockRetainUntilDate": retention.until(now),
    }


def make_checksum(content: Any) -> dict[str, Any]:
    """Make the argument that lets S3 check these bytes: MD5, which every store knows.

    boto3 would send a checksum as a trailer, which not every store does.
    """
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    return {"ContentMD5": base64.b64encode(digest).decode()}


def keeps_versions(client: "S3Client", bucket: str) -> bool:
    """Tell if the bucket keeps what is overwritten or deleted."""
    return client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"


def has_lock(client: "S3Client", bucket: str) -> bool:
    """Tell if the bucket was made with Object Lock."""
    try:
        answer = client.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if _code(error) == _NO_LOCK_CODE:
            return False
        raise
    return answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"


@dataclass(frozen=True)
class Versions:
    """All that is stored under exactly this key; what boto3 raises flies."""

    client: "S3Client"
    bucket: str
    key: str

    def erase(self, now: datetime) -> bool:
        """Delete them all, or stop at one that must be kept.

        The oldest first and markers last: until the end, what could be read still can, and what
        was hidden still is.
        """
        versions, markers = self._list()
        return all(self._is_ended(entry, now) for entry in [*reversed(versions), *markers])

    def erase_one(self) -> bool:
        """Delete without a list; false, and as it was, when that has only hidden the document."""
        answer: Any = self.client.delete_object(Bucket=self.bucket, Key=self.key)
        if "VersionId" not in answer:  # the bucket keeps no versions: it is gone
            return True
        self.client.delete_object(**self._name(answer))
        return False

    def hold(self, *, is_held: bool) -> None:
        """Hold the current one, or let it go, by its name.

        Not every store says of a key, asked to hold it, that nothing is there.
        """
        versions, _ = self._list()
        for entry in versions:
            if entry.get("IsLatest"):
                self.client.put_object_legal_hold(
                    **self._name(entry), LegalHold={"Status": "ON" if is_held else "OFF"}
                )

    def _list(self) -> tuple[list[Any], list[Any]]:
        """List versions and delete markers, each the newest first."""
        versions: list[Any] = []
        markers: list[Any] = []
        pages = self.client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.key):
            versions += [
                entry for entry in page.get("Versions", ()) if entry.get("Key") == self.key
            ]
            markers += [
                entry for entry in page.get("DeleteMarkers", ()) if entry.get("Key") == self.key
            ]
        return versions, markers

    def _is_ended(self, entry: Mapping[str, Any], now: datetime) -> bool:
        """Delete one; false if that is refused because of a lock, not for want of rights."""
        try:
            self.client.delete_object(**self._name(entry))
        except ClientError as error:
            # Stores call a lock AccessDenied, InvalidRequest and more: ask the version itself.
            if _code(error) in _NOT_FOUND_CODES:
                return True
            if self._is_locked(entry, now):
                return False
            raise
        return True

    def _is_locked(self, entry: Mapping[str, Any], now: datetime) -> bool:
        """Tell if a version is known to be locked; one that cannot be looked at is not."""
        try:
            answer = self.client.head_object(**self._name(entry))
        except ClientError:
            return False
        is_held = answer.get("ObjectLockLegalHoldStatus") == "ON"
        return is_held or answer.get("ObjectLockRetainUntilDate", now) > now

    def _name(self, entry: Mapping[str, Any]) -> Any:
        return {
            "Bucket": self.bucket,
            "Key": self.key,
            "VersionId": require_member(entry, "VersionId"),
        }


def require_member(answer: Mapping[str, Any], name: str) -> Any:
    """Give a member without which an answer of S3 is none; raises `Unavailable`."""
    if name not in answer:
        raise Unavailable(f"The document store answers without {name}.")
    return answer[name]


def _code(error: ClientError) -> str | None:
    return error.response.get("Error", {}).get("Code")
