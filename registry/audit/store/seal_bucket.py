"""The seal bucket: nothing in it can be taken back before its time (S3 Object Lock)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from registry.audit.trail import canonical_json
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.untrusted_json import DamagedText, read_member, read_object
from registry.blobs.versions import has_lock, make_checksum
from registry.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGITS: Final = 12  # of a number in a key, so that keys are listed in the order of numbers
_ABSENT: Final = {"NoSuchBucket", "404"}


class SealStore(Protocol):
    """The place where nobody can change or delete seals.

    Every failure to answer is `Unavailable`.
    """

    def put(self, number: int, content: bytes, until: datetime) -> None:
        """Store a seal so that nobody can delete it before `until`."""
        ...

    def get(self, number: int) -> bytes | None:
        """Read the seal as it was put first, if there is one."""
        ...

    def list_numbers(self) -> Iterator[int]:
        """List the numbers of all seals that are there, in order."""
        ...

    def find_tampered_keys(self) -> Iterator[str]:
        """Find the keys over which something was put, and those that are no seal's."""
        ...

    def check(self) -> None:
        """Raise `Unavailable` unless the store can keep seals as it must."""
        ...


def pack_seal(seal: str, signature: str) -> bytes:
    """Pack the text of a seal and its signature into the object that is stored (JSON)."""
    return canonical_json.dumps({"seal": seal, "signature": signature}).encode()


def unpack_seal(number: int, content: bytes) -> SealCopy:
    """Read the seal that was stored under this number; raise `DamagedText`."""
    try:
        members = read_object(content.decode())
    except UnicodeDecodeError as error:
        raise DamagedText("The seal is not UTF-8.") from error
    text, signature = read_member(members, "seal", str), read_member(members, "signature", str)
    return SealCopy(number, text, signature)


@dataclass(frozen=True)
class S3Seals:
    """A bucket with Object Lock, where the first version under a key is the seal.

    Whoever else may write could put others over it, or a delete marker that hides it; these are not
    read, but `find_tampered_keys` tells them. Every failure to answer is `Unavailable`.
    """

    client: "S3Client"
    bucket: str
    prefix: str = "seals/"

    def put(self, number: int, content: bytes, until: datetime) -> None:
        """Store a seal so that nobody can delete it before `until`; once is enough.

        Raises `Unavailable` where another is under this number: this trail is not the one that the
        bucket has.
        """
        present = self.get(number)
        # A sealer that died after it stored a seal comes again with equal bytes.
        if present == content:
            return
        if present is not None:
            raise Unavailable(f"The seal bucket {self.bucket} has another seal {number} already.")
        with self._translate_errors():
            self.client.put_object(
                Bucket=self.bucket,
                Key=self._make_key(number),
                Body=content,
                ContentType="application/json",
                # Not even the owner of the account can shorten this mode.
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
                **make_checksum(content),
            )

    def get(self, number: int) -> bytes | None:
        """Read the seal as it was put first, if there is one."""
        key = self._make_key(number)
        versions: list[Any] = []
        for kind, entry in self._list_entries(key):
            # The prefix of the list fits longer keys too.
            if kind == "Versions" and entry["Key"] == key:
                versions.append(entry)
        if not versions:
            return None
        oldest = versions[-1]  # each list has the newest first
        place: Any = {"Bucket": self.bucket, "Key": key, "VersionId": oldest["VersionId"]}
        with self._translate_errors():
            answer = self.client.get_object(**place)
            with answer["Body"] as body:
                return body.read()

    def list_numbers(self) -> Iterator[int]:
        """List the numbers of all seals that are there, hidden or not, in order."""
        last = 0
        for kind, entry in self._list_entries(self.prefix):
            number = self._parse_key(entry["Key"])
            if kind == "Versions" and number is not None and number > last:
                last = number
                yield number

    def find_tampered_keys(self) -> Iterator[str]:
        """Find the keys with another content or a delete marker over a seal, or that are no seal's.

        Each once.
        """
        digests: dict[str, str] = {}
        tampered_keys: set[str] = set()
        for kind, entry in self._list_entries(self.prefix):
            key, digest = entry["Key"], entry.get("ETag", "")
            is_ours = kind == "Versions" and self._parse_key(key) is not None
            # Two sealers may store one seal at once: equal bytes are nobody's fault.
            is_right = is_ours and digests.setdefault(key, digest) == digest
            if not is_right and key not in tampered_keys:
                tampered_keys.add(key)
                yield key

    def check(self) -> None:
        """Raise `Unavailable` unless the bucket can be reached and has Object Lock."""
        with self._translate_errors():
            is_fit = has_lock(self.client, self.bucket)
        if not is_fit:
            raise Unavailable(f"The seal bucket {self.bucket} has no Object Lock.")

    def _make_key(self, number: int) -> str:
        return f"{self.prefix}{number:0{_DIGITS}d}.json"

    def _parse_key(self, key: str) -> int | None:
        """Read the number in a key; None where the key is no seal's."""
        digits = key.removeprefix(self.prefix).removesuffix(".json")
        is_seal = digits.isascii() and digits.isdecimal() and key == self._make_key(int(digits))
        return int(digits) if is_seal else None

    def _list_entries(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """List versions and delete markers, each with the name of its kind."""
        with self._translate_errors():
            pages = self.client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                members: Any = page
                for kind in ("Versions", "DeleteMarkers"):
                    for entry in members.get(kind, ()):
                        yield kind, entry

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Turn errors of boto3 into `Unavailable`."""
        try:
            yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                raise Unavailable(f"There is no seal bucket {self.bucket}.") from None
            raise Unavailable("The seal bucket refuses to answer.") from error
        except (BotoCoreError, HTTPError) as error:
            raise Unavailable("The seal bucket does not answer.") from error
