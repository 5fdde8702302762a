"""Seals of the audit trail in a bucket of which nothing can be taken back before its time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from registry.blobs.versions import has_lock, summed
from registry.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGITS: Final = 12  # of a number in a key, so that keys are listed in the order of numbers
_ABSENT: Final = {"NoSuchBucket", "404"}


@dataclass(frozen=True)
class S3Seals:
    """One bucket with Object Lock, where the first version under a key is the seal.

    Whoever else may write could put others over it, or a mark that hides it; neither is looked at
    but to be told. Every failure to answer is `Unavailable`.
    """

    client: "S3Client"
    bucket: str
    prefix: str = "seals/"

    def put(self, number: int, content: bytes, until: datetime) -> None:
        """Store a seal so that nobody can part with it before `until`; the same again is no more.

        Raises `Unavailable` where another is under this number: this trail is not the one that the
        bucket has.
        """
        found = self.get(number)
        if found == content:
            return
        if found is not None:
            raise Unavailable(f"The seal bucket {self.bucket} has another seal {number} already.")
        with self._translated():
            self.client.put_object(
                Bucket=self.bucket,
                Key=self._key(number),
                Body=content,
                ContentType="application/json",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
                **summed(content),
            )

    def get(self, number: int) -> bytes | None:
        """The seal as it was put first, if there is one."""
        kept: list[Any] = []
        for kind, entry in self._entries(self._key(number)):
            if kind == "Versions" and entry["Key"] == self._key(number):
                kept.append(entry)
        if not kept:
            return None
        oldest = kept[-1]  # each list has the newest first
        named: Any = {"Bucket": self.bucket, "Key": oldest["Key"], "VersionId": oldest["VersionId"]}
        with self._translated():
            answer = self.client.get_object(**named)
            with answer["Body"] as body:
                return body.read()

    def numbers(self) -> Iterator[int]:
        """The numbers of all seals that are there, hidden or not, in order."""
        last = 0
        for kind, entry in self._entries(self.prefix):
            number = self._number(entry["Key"])
            if kind == "Versions" and number is not None and number > last:
                last = number
                yield number

    def tampered(self) -> Iterator[str]:
        """The keys over which somebody put something else, or a mark that hides them, and those
        that are no seal's.
        """
        digests: dict[str, str] = {}
        told: set[str] = set()
        for kind, entry in self._entries(self.prefix):
            key, digest = entry["Key"], entry.get("ETag", "")
            is_ours = kind == "Versions" and self._number(key) is not None
            if not (is_ours and digests.setdefault(key, digest) == digest) and key not in told:
                told.add(key)
                yield key

    def check(self) -> None:
        """Raise `Unavailable` unless the bucket can be reached and has Object Lock."""
        with self._translated():
            is_fit = has_lock(self.client, self.bucket)
        if not is_fit:
            raise Unavailable(f"The seal bucket {self.bucket} has no Object Lock.")

    def _key(self, number: int) -> str:
        return f"{self.prefix}{number:0{_DIGITS}d}.json"

    def _number(self, key: str) -> int | None:
        """The number in a key; None where the key is no seal's."""
        digits = key.removeprefix(self.prefix).removesuffix(".json")
        is_seal = digits.isascii() and digits.isdecimal() and key == self._key(int(digits))
        return int(digits) if is_seal else None

    def _entries(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Versions and delete markers as they are listed, and which of both each is."""
        with self._translated():
            pages = self.client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                listed: Any = page
                for kind in ("Versions", "DeleteMarkers"):
                    for entry in listed.get(kind, ()):
                        yield kind, entry

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what boto3 raises into our words."""
        try:
            yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                raise Unavailable(f"There is no seal bucket {self.bucket}.") from None
            raise Unavailable("The seal bucket refuses to answer.") from error
        except (BotoCoreError, HTTPError) as error:
            raise Unavailable("The seal bucket does not answer.") from error
