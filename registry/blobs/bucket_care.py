"""A bucket as it has to be: looked at, and made so if it may be changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import ClientError

from registry.blobs.bucket_access import find_openings
from registry.blobs.bucket_findings import (
    BucketFinding,
    BucketOutcome,
    get_code,
    is_denied,
    is_not_offered,
)
from registry.blobs.versions import has_lock, keeps_versions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROBES: Final = "storage-check/"  # the prefix of all that is put there to try something
_UNFINISHED_DAYS: Final = 2  # more than the day that a publication may take
_RULE: Final = "registry-unfinished-uploads"
_NO_ENCRYPTION: Final = "ServerSideEncryptionConfigurationNotFoundError"
_NO_RULES: Final = ("NoSuchLifecycleConfiguration", "NoSuchCORSConfiguration")
_ABSENT: Final = "NoSuchBucket"
_DEFAULT_REGION: Final = "us-east-1"  # which alone must not be named when a bucket is made

Encryption = Literal["AES256", "aws:kms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPlan:
    """A bucket and what it needs; without `encryption` it stays as it is."""

    name: str
    has_lock: bool
    is_versioned: bool = True
    encryption: Encryption | None = None
    encryption_key: str | None = None
    region: str | None = None  # to be named where buckets are made; None where stores have one


@dataclass(frozen=True)
class BucketCare:
    """Looks after one bucket; with `may_change` it mends what it finds.

    Everything may be done again. What the store refuses becomes a finding; other errors of boto3
    fly: an unknown key, and a store that does not answer.
    """

    client: "S3Client"
    plan: BucketPlan
    may_change: bool

    def run(self) -> Iterator[BucketFinding]:
        """Give a finding for each property; of a bucket that is not there no more than that."""
        existence = self._settle("bucket", self._settle_existence)
        yield existence
        if existence.outcome is BucketOutcome.MISSING:
            return
        steps: dict[str, Callable[[], BucketFinding]] = {}
        if self.plan.is_versioned:
            steps["versioning"] = self._settle_versioning
        if self.plan.has_lock:
            steps["Object Lock"] = self._settle_lock
        if self.plan.encryption:
            steps["encryption"] = self._settle_encryption
        steps["unfinished uploads"] = self._settle_unfinished
        steps["CORS"] = self._settle_cors
        steps["public access"] = self._settle_access
        for subject, step in steps.items():
            yield self._settle(subject, step)

    def _settle(self, subject: str, step: Callable[[], BucketFinding]) -> BucketFinding:
        try:
            return step()
        except ClientError as error:
            call = f"{error.operation_name} was answered with {get_code(error)}"
            if is_denied(error):
                # The service itself may not need the right to look.
                missing = BucketOutcome.MISSING if self.may_change else BucketOutcome.UNKNOWN
                return self._find(subject, missing, f"{call}: this key may not.")
            if is_not_offered(error):
                return self._find(subject, BucketOutcome.WARNING, f"Not in this store: {call}.")
            return self._find(subject, BucketOutcome.MISSING, f"{call}.")

    def _find(self, subject: str, outcome: BucketOutcome, detail: str = "") -> BucketFinding:
        return BucketFinding(bucket=self.plan.name, subject=subject, outcome=outcome, detail=detail)

    def _settle_existence(self) -> BucketFinding:
        try:
            # An answer to HEAD has no body, and so no reason for a refusal.
            self.client.list_objects_v2(Bucket=self.plan.name, MaxKeys=1)
        except ClientError as error:
            if get_code(error) != _ABSENT:
                raise
            if not self.may_change:
                return self._find("bucket", BucketOutcome.MISSING, "There is no such bucket.")
            self._create()
            return self._find("bucket", BucketOutcome.MADE)
        return self._find("bucket", BucketOutcome.OK)

    def _create(self) -> None:
        place: Any = {"Bucket": self.plan.name}
        if self.plan.region not in (None, _DEFAULT_REGION):
            place["CreateBucketConfiguration"] = {"LocationConstraint": self.plan.region}
        self.client.create_bucket(**place, ObjectLockEnabledForBucket=self.plan.has_lock)

    def _settle_versioning(self) -> BucketFinding:
        if keeps_versions(self.client, self.plan.name):
            return self._find("versioning", BucketOutcome.OK)
        if not self.may_change:
            return self._find("versioning", BucketOutcome.MISSING, "It keeps no versions.")
        self.client.put_bucket_versioning(
            Bucket=self.plan.name, VersioningConfiguration={"Status": "Enabled"}
        )
        return self._find("versioning", BucketOutcome.MADE)

    def _settle_lock(self) -> BucketFinding:
        if has_lock(self.client, self.plan.name):
            return self._find("Object Lock", BucketOutcome.OK)
        if not self.may_change:
            return self._find("Object Lock", BucketOutcome.MISSING, "Nothing in it can be locked.")
        # No retention by default: each object says its own.
        self.client.put_object_lock_configuration(
            Bucket=self.plan.name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )
        return self._find("Object Lock", BucketOutcome.MADE)

    def _settle_encryption(self) -> BucketFinding:
        wish = self.plan.encryption
        algorithm = self._read_encryption()
        if algorithm == wish or (algorithm and not self.may_change):
            return self._find("encryption", BucketOutcome.OK, str(algorithm))
        if not self.may_change:
            return self._find("encryption", BucketOutcome.WARNING, "No default is set.")
        default: Any = {"SSEAlgorithm": wish}
        if self.plan.encryption_key:
            default["KMSMasterKeyID"] = self.plan.encryption_key
        rules: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
        self.client.put_bucket_encryption(
            Bucket=self.plan.name, ServerSideEncryptionConfiguration=rules
        )
        return self._try_encryption()

    def _read_encryption(self) -> str | None:
        try:
            answer: Any = self.client.get_bucket_encryption(Bucket=self.plan.name)
        except ClientError as error:
            if get_code(error) == _NO_ENCRYPTION:
                return None
            raise
        (rule, *_) = answer["ServerSideEncryptionConfiguration"]["Rules"]
        return str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])

    def _try_encryption(self) -> BucketFinding:
        """Store something under the new default: some stores take it and then store nothing."""
        place: Any = {"Bucket": self.plan.name, "Key": f"{PROBES}encryption"}
        try:
            version = self.client.put_object(**place, Body=b"").get("VersionId", "null")
        except ClientError as error:
            self.client.delete_bucket_encryption(Bucket=self.plan.name)
            detail = f"Not set: with it, PutObject is answered with {get_code(error)}."
            return self._find("encryption", BucketOutcome.WARNING, detail)
        self.client.delete_object(**place, VersionId=version)
        return self._find("encryption", BucketOutcome.MADE, str(self.plan.encryption))

    def _settle_unfinished(self) -> BucketFinding:
        """See that parts of uploads that nobody ends are deleted, and nothing else by rule."""
        subject = "unfinished uploads"
        rules = self._read_rules()
        expiring = [rule for rule in rules if _deletes_objects(rule)]
        if expiring:
            names = ", ".join(str(rule.get("ID", "without a name")) for rule in expiring)
            detail = f"A lifecycle rule deletes objects, which only the registry may: {names}."
            return self._find(subject, BucketOutcome.MISSING, detail)
        if any(_ends_all_uploads(rule) for rule in rules):
            return self._find(subject, BucketOutcome.OK)
        if not self.may_change:
            return self._find(subject, BucketOutcome.WARNING, "No lifecycle rule ends them.")
        rule = {
            "ID": _RULE,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS},
        }
        configuration: Any = {"Rules": [*rules, rule]}
        self.client.put_bucket_lifecycle_configuration(
            Bucket=self.plan.name, LifecycleConfiguration=configuration
        )
        return self._find(subject, BucketOutcome.MADE, f"ended after {_UNFINISHED_DAYS} days")

    def _read_rules(self) -> list[Any]:
        try:
            answer = self.client.get_bucket_lifecycle_configuration(Bucket=self.plan.name)
        except ClientError as error:
            if get_code(error) in _NO_RULES:
                return []
            raise
        return list(answer.get("Rules", ()))

    def _settle_cors(self) -> BucketFinding:
        try:
            self.client.get_bucket_cors(Bucket=self.plan.name)
        except ClientError as error:
            if get_code(error) in _NO_RULES:
                return self._find("CORS", BucketOutcome.OK, "closed")
            raise
        if not self.may_change:
            return self._find("CORS", BucketOutcome.MISSING, "Pages of others may read from it.")
        self.client.delete_bucket_cors(Bucket=self.plan.name)
        return self._find("CORS", BucketOutcome.MADE, "closed")

    def _settle_access(self) -> BucketFinding:
        outcome, detail = find_openings(self.client, self.plan.name, may_change=self.may_change)
        return self._find("public access", outcome, detail)


def _deletes_objects(rule: Any) -> bool:
    """Tell if a rule deletes what can be read; older versions and lone markers are none of that."""
    expiration = rule.get("Expiration") or {}
    return rule.get("Status") == "Enabled" and ("Days" in expiration or "Date" in expiration)


def _ends_all_uploads(rule: Any) -> bool:
    """Tell if a rule ends the unfinished uploads of every key."""
    has_prefix = bool(rule.get("Prefix") or any((rule.get("Filter") or {}).values()))
    is_on = rule.get("Status") == "Enabled" and "AbortIncompleteMultipartUpload" in rule
    return is_on and not has_prefix
