"""Objects that are put into a bucket to try what a key may do there, and removed again."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

from botocore.exceptions import ClientError

from registry.blobs.bucket_care import PROBES
from registry.blobs.bucket_findings import is_denied
from registry.blobs.versions import make_checksum

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOCK_SECONDS: Final = 10  # the shortest in which all can be tried that is to be tried under it
_CONTENT: Final = b"registry storage check"
_UNVERSIONED: Final = "null"  # the version of an object in a bucket that keeps none

LockMode = Literal["GOVERNANCE", "COMPLIANCE"]


class NotTried(Exception):
    """A call could not be made, since one before it could not."""


class Canary:
    """Makes the calls of the service on objects of its own, below `storage-check/`.

    What boto3 raises flies. All that is stored is noted, for `remove()`.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self._bucket = client, bucket
        self._key = f"{PROBES}{uuid4()}"
        self._versions: list[tuple[str, str]] = []  # of each, its key and name
        self._version: str | None = None  # of the object that most calls are about
        self._lock: tuple[str, str] | None = None
        self._upload: dict[str, Any] = {}
        self._etag: str | None = None
        self.locked_until: datetime | None = None

    def put(self) -> None:
        """Store an object as a document is stored."""
        answer = self._put(self._key)
        self._version = self._note(self._key, answer)

    def put_locked(self, mode: LockMode) -> None:
        """Store an object under a retention of `LOCK_SECONDS` by the clock of the store."""
        until = self._read_clock() + timedelta(seconds=LOCK_SECONDS)
        key = f"{self._key}-locked"
        answer = self._put(key, ObjectLockMode=mode, ObjectLockRetainUntilDate=until)
        self._lock = (key, self._note(key, answer))
        self.locked_until = until

    def get(self) -> None:
        """Read it."""
        self._client.get_object(**self._place())["Body"].close()

    def is_read_back(self) -> bool:
        """Read it, and tell if each byte is as it was stored."""
        body = self._client.get_object(**self._place())["Body"]
        try:
            return body.read(len(_CONTENT) + 1) == _CONTENT
        finally:
            body.close()

    def head(self) -> None:
        """Look at it."""
        self._client.head_object(**self._place())

    def get_version(self) -> None:
        """Read a version by its name; of a locked object where there is one."""
        key, version = self._lock or (self._key, self._version)
        if version is None:
            raise NotTried
        place: Any = {"Bucket": self._bucket, "Key": key, "VersionId": version}
        self._client.get_object(**place)["Body"].close()

    def copy(self) -> None:
        """Copy it within the bucket."""
        key = f"{self._key}-copy"
        source: Any = {"Bucket": self._bucket, "Key": self._key}
        answer = self._client.copy_object(Bucket=self._bucket, Key=key, CopySource=source)
        self._note(key, answer)

    def list_objects(self) -> None:
        """List what is there."""
        self._client.list_objects_v2(Bucket=self._bucket, Prefix=PROBES, MaxKeys=1)

    def list_versions(self) -> None:
        """List all versions of what is there."""
        self._client.list_object_versions(Bucket=self._bucket, Prefix=PROBES, MaxKeys=1)

    def list_uploads(self) -> None:
        """List the uploads that are under way."""
        self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=PROBES, MaxUploads=1)

    def begin_upload(self) -> None:
        """Begin an upload in parts."""
        place: Any = {"Bucket": self._bucket, "Key": f"{self._key}-parts"}
        answer = self._client.create_multipart_upload(**place)
        self._upload = {**place, "UploadId": answer["UploadId"]}

    def upload_part(self) -> None:
        """Upload its one part."""
        if not self._upload:
            raise NotTried
        content: Any = _CONTENT
        answer = self._client.upload_part(
            **self._upload, PartNumber=1, Body=content, **make_checksum(content)
        )
        self._etag = answer["ETag"]

    def complete_upload(self) -> None:
        """End the upload, so that the object is there."""
        if self._etag is None:
            raise NotTried
        parts: Any = {"Parts": [{"PartNumber": 1, "ETag": self._etag}]}
        answer = self._client.complete_multipart_upload(**self._upload, MultipartUpload=parts)
        self._note(self._upload["Key"], answer)
        self._upload = {}

    def abort_upload(self) -> None:
        """End an upload so that nothing of it is there."""
        if not self._upload:
            try:
                self.begin_upload()
            except ClientError:  # which is told of that call
                raise NotTried from None
        self._client.abort_multipart_upload(**self._upload)
        self._upload = {}

    def get_lock_configuration(self) -> None:
        """Ask for the bucket's Object Lock."""
        self._client.get_object_lock_configuration(Bucket=self._bucket)

    def get_retention(self) -> None:
        """Ask until when the locked object is kept."""
        self._client.get_object_retention(**self._name_lock())

    def put_hold(self) -> None:
        """Put the locked object on legal hold, and lift that again."""
        place = self._name_lock()
        for status in ("ON", "OFF"):
            hold: Any = {"Status": status}
            self._client.put_object_legal_hold(**place, LegalHold=hold)

    def get_hold(self) -> None:
        """Ask whether the locked object is on legal hold."""
        self._client.get_object_legal_hold(**self._name_lock())

    def delete(self) -> None:
        """Delete the object as one without versions, which where there are some hides it."""
        answer: Any = self._client.delete_object(**self._place())
        if answer.get("DeleteMarker"):
            self._note(self._key, answer)
        elif self._version == _UNVERSIONED:
            self._versions.remove((self._key, _UNVERSIONED))

    def delete_version(self) -> None:
        """Delete the object by the name of its version."""
        if self._version is None:
            raise NotTried
        self._client.delete_object(**self._place(), VersionId=self._version)
        if (self._key, self._version) in self._versions:
            self._versions.remove((self._key, self._version))

    def is_locked(self, keys: list[str]) -> bool:
        """Tell if these are the keys of the locked object alone."""
        return self._lock is not None and keys == [self._lock[0]]

    def can_break_lock(self) -> bool:
        """Try to delete the locked object before its time, and tell if the store lets us."""
        place = self._name_lock()
        try:
            self._client.delete_object(**place)
        except ClientError:  # stores call a lock AccessDenied, InvalidRequest and more
            return False
        self._lock = None
        self._versions.remove((place["Key"], place["VersionId"]))
        return True

    def remove(self) -> list[str]:
        """Remove all that was stored, and give the keys of what must stay."""
        remaining = []
        if self._upload:
            with suppress(ClientError):  # the lifecycle of the bucket ends it
                self.abort_upload()
        for key, version in self._versions:
            try:
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)
            except ClientError as error:
                is_denied(error)  # raises for a key that is no longer one
                remaining.append((key, version))
        self._versions = remaining
        return [key for key, _ in remaining]

    def _put(self, key: str, **lock: Any) -> Any:
        content: Any = _CONTENT
        return self._client.put_object(
            Bucket=self._bucket, Key=key, Body=content, **lock, **make_checksum(content)
        )

    def _note(self, key: str, answer: Any) -> str:
        version = str(answer.get("VersionId", _UNVERSIONED))
        self._versions.append((key, version))
        return version

    def _place(self) -> Any:
        return {"Bucket": self._bucket, "Key": self._key}

    def _name_lock(self) -> Any:
        if self._lock is None:
            raise NotTried
        key, version = self._lock
        return {"Bucket": self._bucket, "Key": key, "VersionId": version}

    def _read_clock(self) -> datetime:
        """Read the store's clock, by which it judges retentions."""
        try:
            answer: Any = self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            answer = error.response
        header = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return parsedate_to_datetime(header) if header else datetime.now(UTC)
