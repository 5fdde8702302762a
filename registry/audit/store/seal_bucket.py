"""The seal bucket: nothing in it can be taken back before its time (S3 Object Lock)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from registry.audit.trail import canonical_json
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.keys import BadSignature, Keys, UnknownKey
from registry.audit.trail.seal import parse_seal, verify_signature
from registry.audit.trail.untrusted_json import DamagedText, read_member, read_object
from registry.blobs.read_ahead import VersionName, VersionReader
from registry.blobs.signed_urls import read_version
from registry.blobs.versions import has_lock, make_checksum
from registry.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGITS: Final = 12  # of a number in a key, so that keys are listed in the order of numbers
_ABSENT: Final = {"NoSuchBucket", "404"}
_LOCK: Final = "COMPLIANCE"
_PAGE: Final = 1000  # objects that a list has at most at once
_LARGEST: Final = 128 * 1024 * 1024  # bytes: a seal of a million entries has 43 MiB


class StoredSeal(NamedTuple):
    """A version under the key of a seal; `locked_until` is None where nobody has to keep it."""

    content: bytes
    locked_until: datetime | None = None

    def is_kept(self, until: datetime) -> bool:
        """Say whether nobody can delete it before `until`."""
        return self.locked_until is not None and self.locked_until >= until


@dataclass(frozen=True, slots=True)
class SealObject:
    """What the bucket has under one key: the ids of its versions that may be seals, oldest first.

    `number` is None where the key is no seal's. `is_touched` says that other contents or a delete
    marker are there too, or that the key is no seal's: somebody else was there.
    """

    key: str
    number: int | None
    versions: tuple[str, ...]
    is_touched: bool


class SealStore(Protocol):
    """The place where nobody can change or delete seals.

    Every failure to answer is `Unavailable`.
    """

    def put(self, number: int, content: bytes, until: datetime) -> None:
        """Store a seal so that nobody can delete it before `until`, and see that it is so."""
        ...

    def read(self, number: int) -> Sequence[StoredSeal]:
        """Read all that lies under the key of a seal, in the order in which it was put there."""
        ...

    def list_objects(self, first: int = 0, until: int | None = None) -> Iterator[SealObject]:
        """List what is there, in the order of keys, which is that of numbers.

        From the key of seal `first` on to just before that of `until`; 0 and None for all.
        """
        ...

    def fetch_all(
        self, stored_objects: Iterable[SealObject]
    ) -> Iterator[tuple[SealObject, Sequence[StoredSeal]]]:
        """Read what was listed, in that order, while the next ones are on their way."""
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


def is_signed(keys: Keys, number: int, content: bytes) -> bool:
    """Say whether these bytes are the seal of this number, signed with one of the keys."""
    try:
        copy = unpack_seal(number, content)
        verify_signature(keys, copy.text, copy.signature)
        return parse_seal(copy.text).number == number
    except (DamagedText, UnknownKey, BadSignature):
        return False


@dataclass(frozen=True)
class S3Seals:
    """A bucket with Object Lock. Every failure to answer is `Unavailable`.

    Whoever else may write there could put others over or under a seal, or a delete marker that
    hides it. All versions are read, and who verifies signatures says which is the seal.
    """

    client: "S3Client"
    bucket: str
    prefix: str = "seals/"

    def put(self, number: int, content: bytes, until: datetime) -> None:
        """Store a seal so that nobody can delete it before `until`; once is enough.

        It counts as stored when the bucket says of the very version that it is so: raises
        `Unavailable` otherwise.
        """
        # A sealer that died after it stored a seal comes again with equal bytes.
        if any(each.content == content and each.is_kept(until) for each in self.read(number)):
            return
        place: Any = {"Bucket": self.bucket, "Key": self._make_key(number)}
        with self._translate_errors():
            answer = self.client.put_object(
                **place,
                Body=content,
                ContentType="application/json",
                # Not even the owner of the account can shorten this mode.
                ObjectLockMode=_LOCK,
                ObjectLockRetainUntilDate=until,
                **make_checksum(content),
            )
            version = {**place, "VersionId": answer.get("VersionId", "null")}
            stored_object = self.client.head_object(**version)
        if not StoredSeal(content, _read_lock(stored_object)).is_kept(until):
            raise Unavailable(
                f"The seal bucket {self.bucket} took seal {number} and does not lock it until"
                f" {until.isoformat()}."
            )

    def read(self, number: int) -> Sequence[StoredSeal]:
        """Read all that lies under the key of a seal, in the order in which it was put there."""
        key = self._make_key(number)
        # The prefix of the list fits longer keys too.
        stored_object = (each for each in self._list(key) if each.key == key)
        return [self._get(key, version) for each in stored_object for version in each.versions]

    def list_objects(self, first: int = 0, until: int | None = None) -> Iterator[SealObject]:
        """List what is there, in the order of keys, which is that of numbers.

        From the key of seal `first` on to just before that of `until`; 0 and None for all.
        """
        # A list goes on after a key that need not be there.
        start: dict[str, Any] = {"KeyMarker": self._make_key(first - 1)} if first else {}
        if until is not None:
            start["PaginationConfig"] = {"PageSize": min(until - first + 1, _PAGE)}
        for stored_object in self._list(self.prefix, **start):
            if until is not None and stored_object.key >= self._make_key(until):
                return
            # What lies between two seals is of the range of the first.
            if not first or stored_object.key >= self._make_key(first):
                yield stored_object

    def fetch_all(
        self, stored_objects: Iterable[SealObject]
    ) -> Iterator[tuple[SealObject, Sequence[StoredSeal]]]:
        """Read what was listed, in that order, while the next ones are on their way."""
        groups = (
            (each, [VersionName(each.key, version) for version in each.versions])
            for each in stored_objects
        )
        reader = VersionReader(self.client, self.bucket)
        with self._translate_errors(), closing(reader):
            for stored_object, versions in reader.read(groups):
                yield stored_object, [_make_stored_seal(*version) for version in versions]

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

    def _get(self, key: str, version: str) -> StoredSeal:
        with self._translate_errors():
            answer = read_version(self.client, self.bucket, key, version)
            return _make_stored_seal(answer.content, answer.headers)

    def _list(self, prefix: str, **start: Any) -> Iterator[SealObject]:
        entries = self._list_entries(prefix, **start)
        for key, entries_of_key in groupby(entries, lambda entry: entry["Key"]):
            yield self._describe(key, list(entries_of_key))

    def _describe(self, key: str, entries: Sequence[Any]) -> SealObject:
        """Describe a key by its versions and delete markers, each the newest first."""
        number = self._parse_key(key)
        versions = [entry for entry in entries if "ETag" in entry]
        # Two sealers may store one seal at once: equal bytes are nobody's fault.
        is_alone = len(versions) == len(entries) and len({each["ETag"] for each in versions}) == 1
        # What is too large for a seal is not read: it could fill the memory.
        ids = [each["VersionId"] for each in versions if each.get("Size", 0) <= _LARGEST]
        is_touched = number is None or not is_alone or len(ids) < len(versions)
        return SealObject(key, number, tuple(reversed(ids)), is_touched)

    def _list_entries(self, prefix: str, **start: Any) -> Iterator[Any]:
        """List versions and delete markers in the order of keys."""
        with self._translate_errors():
            pages = self.client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix, **start):
                members: Any = page
                entries = [*members.get("Versions", ()), *members.get("DeleteMarkers", ())]
                # By key and, within it, as they come: a page has all versions before all markers.
                yield from sorted(entries, key=lambda entry: entry["Key"])

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


def _make_stored_seal(content: bytes, headers: Mapping[str, str]) -> StoredSeal:
    """Read the same from the headers of an answer."""
    until = headers.get("x-amz-object-lock-retain-until-date")
    if until is None or headers.get("x-amz-object-lock-mode") != _LOCK:
        return StoredSeal(content)
    return StoredSeal(content, datetime.fromisoformat(until))


def _read_lock(answer: Any) -> datetime | None:
    """Read until when a version is locked for everybody; in any other mode somebody may lift it."""
    until: datetime | None = answer.get("ObjectLockRetainUntilDate")
    return until if answer.get("ObjectLockMode") == _LOCK else None
