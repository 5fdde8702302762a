"""Objects as storage itself has them: listed, described, digested, and moved into quarantine."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from registry.blobs.s3 import S3Blobs, translate_errors
from registry.blobs.versions import require_member
from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.domain.storage_findings import StoredObject

QUARANTINE: Final = "quarantine/"
_PART: Final = 32 << 20  # bytes that are copied in one call, which has its budget


@dataclass(frozen=True)
class StoredObjects:
    """The objects of the document store's bucket. Every failure to answer is `Unavailable`."""

    blobs: S3Blobs

    def list_pages(self, prefix: str, after: str) -> Iterator[list[StoredObject]]:
        """List the objects behind a key, in the order of keys, a thousand at a time.

        Their locks and holds are not in a list.
        """
        with translate_errors():
            pages = self.blobs.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.blobs.bucket, Prefix=prefix, StartAfter=after):
                yield [
                    StoredObject(
                        key=require_member(entry, "Key"),
                        size=require_member(entry, "Size"),
                        stored_at=require_member(entry, "LastModified"),
                    )
                    for entry in page.get("Contents", ())
                ]

    def describe(self, key: str) -> StoredObject | None:
        """Describe the object that is read under a key; None if there is none."""
        try:
            answer = self._head(key)
        except DocumentUnavailable:
            return None
        return StoredObject(
            key=key,
            size=require_member(answer, "ContentLength"),
            stored_at=require_member(answer, "LastModified"),
            locked_until=answer.get("ObjectLockRetainUntilDate"),
            is_held=answer.get("ObjectLockLegalHoldStatus") == "ON",
        )

    def compute_digest(self, key: str, size: int) -> str:
        """Compute the SHA-256 of all bytes of an object, in base64url, by reading them.

        Raises `DocumentUnavailable` when it is gone, or shorter than that.
        """
        digest = hashlib.sha256()
        blob = self.blobs.open(key, 0, size - 1)
        try:
            for chunk in blob:
                digest.update(chunk)
        finally:
            blob.close()
        return base64.urlsafe_b64encode(digest.digest()).decode()

    def copy_to_quarantine(self, stored_object: StoredObject) -> str:
        """Copy an object below the quarantine prefix, and give the key of the copy.

        The copy is read and found to be the same, or there is none: raises `Unavailable` then.
        """
        copy_key = f"{QUARANTINE}{stored_object.key}"
        with translate_errors():
            self._copy(stored_object, copy_key)
        copy = self.describe(copy_key)
        is_same = (
            copy is not None
            and copy.size == stored_object.size
            and self.compute_digest(copy_key, stored_object.size)
            == self.compute_digest(stored_object.key, stored_object.size)
        )
        if not is_same:
            self.blobs.erase(copy_key)
            raise Unavailable("The document store does not copy what it has.")
        return copy_key

    def _copy(self, stored_object: StoredObject, copy_key: str) -> None:
        source: Any = {"Bucket": self.blobs.bucket, "Key": stored_object.key}
        place: Any = {"Bucket": self.blobs.bucket, "Key": copy_key}
        client, encryption = self.blobs.client, self.blobs.encryption
        if stored_object.size <= _PART:
            client.copy_object(**place, CopySource=source, **encryption)
            return
        head = self._head(stored_object.key)
        attributes: Any = {"ContentType": head.get("ContentType", ""), "Metadata": head["Metadata"]}
        upload = client.create_multipart_upload(**place, **attributes, **encryption)
        target: Any = {**place, "UploadId": require_member(upload, "UploadId")}
        try:
            parts: Any = []
            for number, first in enumerate(range(0, stored_object.size, _PART), 1):
                last = min(first + _PART, stored_object.size) - 1
                answer: Any = client.upload_part_copy(
                    **target,
                    PartNumber=number,
                    CopySource=source,
                    CopySourceRange=f"bytes={first}-{last}",
                )
                parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
            client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
        except BaseException:
            client.abort_multipart_upload(**target)
            raise

    def _head(self, key: str) -> Mapping[str, Any]:
        with translate_errors():
            return self.blobs.client.head_object(Bucket=self.blobs.bucket, Key=key)
