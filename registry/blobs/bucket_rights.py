"""Rights of a key on a bucket, found by trying each call that the service makes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from registry.blobs.bucket_canary import LOCK_SECONDS, Canary, LockMode, NotTried
from registry.blobs.bucket_findings import (
    BucketFinding,
    BucketOutcome,
    get_code,
    is_denied,
    is_not_offered,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What S3 says of something that is not there to somebody who may ask for it.
_ABSENT: Final = {"404", "NoSuchKey", "NoSuchUpload", "NoSuchVersion"}
_REMAINS: Final = "cleaning up"


class RightTrial(NamedTuple):
    """A call, the right that it takes as policies name it, and what cannot be done without it."""

    name: str
    action: str
    need: str
    call: Callable[[], None]


def list_document_trials(canary: Canary, lock_mode: LockMode | None) -> Sequence[RightTrial]:
    """List what the document store needs; more of it under Object Lock."""
    trials = [*_list_object_trials(canary), *_list_upload_trials(canary)]
    if lock_mode:
        trials += _list_lock_trials(canary, lock_mode, "publications", "health")
        trials += [
            RightTrial("PutObjectLegalHold", "s3:PutObjectLegalHold", "holds", canary.put_hold),
            RightTrial("GetObjectLegalHold", "s3:GetObjectLegalHold", "the purge", canary.get_hold),
        ]
    return [*trials, *_list_deletion_trials(canary)]


def _list_object_trials(canary: Canary) -> Sequence[RightTrial]:
    put, get = "s3:PutObject", "s3:GetObject"
    return [
        RightTrial("ListObjectsV2", "s3:ListBucket", "health, registry fsck", canary.list_objects),
        RightTrial("PutObject", put, "publications", canary.put),
        RightTrial("GetObject", get, "downloads", canary.get),
        RightTrial("HeadObject", get, "downloads by nginx, registry fsck", canary.head),
        RightTrial("CopyObject", f"{get}, {put}", "registry fsck --repair", canary.copy),
    ]


def _list_upload_trials(canary: Canary) -> Sequence[RightTrial]:
    put, large = "s3:PutObject", "publications over 8 MiB"
    return [
        RightTrial("CreateMultipartUpload", put, large, canary.begin_upload),
        RightTrial("UploadPart", put, large, canary.upload_part),
        RightTrial("CompleteMultipartUpload", put, large, canary.complete_upload),
        RightTrial(
            "AbortMultipartUpload",
            "s3:AbortMultipartUpload",
            "publications that break off, the sweep",
            canary.abort_upload,
        ),
        RightTrial(
            "ListMultipartUploads",
            "s3:ListBucketMultipartUploads",
            "the sweep",
            canary.list_uploads,
        ),
    ]


def _list_deletion_trials(canary: Canary) -> Sequence[RightTrial]:
    purge, both = "the purge", "the purge, the sweep"
    delete_version = "s3:DeleteObjectVersion"
    return [
        RightTrial("ListObjectVersions", "s3:ListBucketVersions", purge, canary.list_versions),
        RightTrial("GetObject of a version", "s3:GetObjectVersion", purge, canary.get_version),
        RightTrial("DeleteObject", "s3:DeleteObject", both, canary.delete),
        RightTrial("DeleteObject of a version", delete_version, both, canary.delete_version),
    ]


def list_seal_trials(canary: Canary, lock_mode: LockMode) -> Sequence[RightTrial]:
    """List what the store of seals needs, which deletes nothing."""
    seals = "seals of the audit trail"
    return [
        RightTrial("PutObject", "s3:PutObject", seals, canary.put),
        *_list_lock_trials(canary, lock_mode, seals, "the worker's start"),
        RightTrial("ListObjectVersions", "s3:ListBucketVersions", seals, canary.list_versions),
        RightTrial("GetObject of a version", "s3:GetObjectVersion", seals, canary.get_version),
    ]


def _list_lock_trials(
    canary: Canary, lock_mode: LockMode, writer: str, reader: str
) -> Sequence[RightTrial]:
    return [
        RightTrial(
            "GetObjectLockConfiguration",
            "s3:GetBucketObjectLockConfiguration",
            reader,
            canary.get_lock_configuration,
        ),
        RightTrial(
            f"PutObject under {lock_mode}",
            "s3:PutObjectRetention",
            writer,
            lambda: canary.put_locked(lock_mode),
        ),
        RightTrial("GetObjectRetention", "s3:GetObjectRetention", writer, canary.get_retention),
    ]


@dataclass
class BucketRights:
    """Tries the rights of the service on one bucket.

    `deletes` says whether the service has to delete there; what was put there is removed if the
    key can. `wait` is called with the seconds until an object under a lock can be.
    """

    client: "S3Client"
    bucket: str
    lock_mode: LockMode | None
    deletes: bool
    wait: Callable[[float], None] = time.sleep
    _canary: Canary = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._canary = Canary(self.client, self.bucket)

    def run(self) -> Iterator[BucketFinding]:
        """Try one after the other; errors of boto3 that say nothing of a right fly."""
        if self.lock_mode and not self.deletes:
            trials = list_seal_trials(self._canary, self.lock_mode)
        else:
            trials = list_document_trials(self._canary, self.lock_mode)
        may_delete = True
        for trial in trials:
            finding = self._try(trial)
            if trial.call == self._canary.delete_version:
                may_delete = finding.outcome is BucketOutcome.OK
            yield finding
        if self._canary.locked_until is not None and may_delete:
            yield self._try_lock()

    def clean(self, *, is_hasty: bool = False) -> Iterator[BucketFinding]:
        """Remove what was put there, and tell what stays; in haste no lock is waited for."""
        keys = self._canary.remove()
        if self._canary.is_locked(keys) and not is_hasty:  # all else could be deleted
            self.wait(LOCK_SECONDS)
            keys = self._canary.remove()
        if keys:
            outcome = BucketOutcome.WARNING if self.deletes else BucketOutcome.OK
            reason = "this key may not delete them, or they are locked still"
            detail = f"{', '.join(sorted(set(keys)))} stay, of a few bytes: {reason}."
            yield BucketFinding(
                bucket=self.bucket, subject=_REMAINS, outcome=outcome, detail=detail
            )

    def _try(self, trial: RightTrial) -> BucketFinding:
        outcome, detail = BucketOutcome.OK, ""
        try:
            trial.call()
        except NotTried:
            outcome, detail = BucketOutcome.UNKNOWN, "Not tried: a call before it is missing."
        except ClientError as error:
            code = get_code(error)
            if is_denied(error):
                outcome, detail = BucketOutcome.MISSING, f"It was answered with {code}."
            elif is_not_offered(error):
                outcome, detail = BucketOutcome.WARNING, f"Not in this store: {code}."
            elif code not in _ABSENT:
                outcome, detail = BucketOutcome.UNKNOWN, f"It was answered with {code}."
        return BucketFinding(
            bucket=self.bucket,
            subject=trial.name,
            outcome=outcome,
            detail=detail,
            action=trial.action,
            need=trial.need,
        )

    def _try_lock(self) -> BucketFinding:
        is_broken = self._canary.can_break_lock()
        return BucketFinding(
            bucket=self.bucket,
            subject="a lock holds",
            outcome=BucketOutcome.MISSING if is_broken else BucketOutcome.OK,
            detail="A locked object was deleted before its time." if is_broken else "",
        )
