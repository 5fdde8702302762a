"""Public access to a bucket: blocked where the store can do that, looked for where it cannot."""

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from registry.blobs.bucket_findings import BucketOutcome, get_code, is_not_offered

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BLOCKS: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_NO_BLOCK: Final = "NoSuchPublicAccessBlockConfiguration"
_NO_POLICY: Final = "NoSuchBucketPolicy"
_EVERYBODY: Final = ("/global/AllUsers", "/global/AuthenticatedUsers")


def find_openings(
    client: "S3Client", bucket: str, *, may_change: bool
) -> tuple[BucketOutcome, str]:
    """Find whether somebody without a key could read the bucket, and block that if it may be.

    What boto3 raises flies.
    """
    try:
        if _is_blocked(client, bucket):
            return BucketOutcome.OK, "blocked"
        if not may_change:
            return _judge(client, bucket, "Public access is not blocked.")
        blocks: Any = _BLOCKS
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocks)
    except ClientError as error:
        if not is_not_offered(error):
            raise
        answer = f"The store cannot block it ({get_code(error)});"
        return _judge(client, bucket, answer)
    return BucketOutcome.MADE, "blocked"


def _is_blocked(client: "S3Client", bucket: str) -> bool:
    try:
        answer = client.get_public_access_block(Bucket=bucket)
    except ClientError as error:
        if get_code(error) == _NO_BLOCK:
            return False
        raise
    configuration: Any = answer["PublicAccessBlockConfiguration"]
    return all(configuration.get(name) for name in _BLOCKS)


def _judge(client: "S3Client", bucket: str, beginning: str) -> tuple[BucketOutcome, str]:
    """Judge by policy and access list, which are all that could open it."""
    if _has_public_policy(client, bucket):
        return BucketOutcome.MISSING, f"{beginning} the bucket policy lets everybody in."
    grants: Any = client.get_bucket_acl(Bucket=bucket).get("Grants", ())
    if any(grant["Grantee"].get("URI", "").endswith(_EVERYBODY) for grant in grants):
        return BucketOutcome.MISSING, f"{beginning} the access list lets everybody in."
    return BucketOutcome.WARNING, f"{beginning} neither policy nor access list lets anybody in."


def _has_public_policy(client: "S3Client", bucket: str) -> bool:
    try:
        answer = client.get_bucket_policy_status(Bucket=bucket)
    except ClientError as error:
        if get_code(error) == _NO_POLICY:
            return False
        raise
    return bool(answer.get("PolicyStatus", {}).get("IsPublic"))
