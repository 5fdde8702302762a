"""Facts about a bucket, each asked for by itself, so that a right that is missing has its name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from registry.blobs.versions import has_lock, keeps_versions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class S3Refusal:
    """A question that S3 refused: the right that it needs, its code, its status, its Date."""

    right: str
    code: str
    status: int


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """The facts of a bucket; None where the question was refused, or not asked."""

    refusals: tuple[S3Refusal, ...]
    is_versioned: bool | None = None
    has_lock: bool | None = None
    date: str | None = None  # the header, of the answer that came first


def ask_bucket(client: "S3Client", bucket: str) -> BucketFacts:
    """Ask for the facts; raises what boto3 does, and `Unavailable`, when there is no answer.

    A bucket that may not be listed, or is not there, is asked no more.
    """
    refusals: list[S3Refusal] = []
    dates: list[str] = []

    def ask(right: str, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except ClientError as error:
            refusals.append(_read_refusal(right, error))
            dates.append(_read_date(error.response))
            return None

    page = ask("s3:ListBucket", lambda: client.list_objects_v2(Bucket=bucket, MaxKeys=1))
    if page is None:
        return BucketFacts(tuple(refusals), date=dates[0] or None)
    versions = ask("s3:GetBucketVersioning", lambda: keeps_versions(client, bucket))
    lock = ask("s3:GetBucketObjectLockConfiguration", lambda: has_lock(client, bucket))
    return BucketFacts(tuple(refusals), versions, lock, _read_date(page) or None)


def _read_refusal(right: str, error: ClientError) -> S3Refusal:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return S3Refusal(right, str(error.response.get("Error", {}).get("Code", "")), int(status))


def _read_date(answer: Any) -> str:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("date", ""))
