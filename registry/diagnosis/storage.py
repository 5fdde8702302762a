"""The buckets: reached, ours to use, and made as the settings count on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from registry.blobs.bucket_facts import BucketFacts, S3Refusal, ask_bucket
from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.network_words import Place, diagnose_failure
from registry.domain.diagnoses import Cause, Diagnosis, Severity
from registry.domain.errors import Unavailable
from registry.http_client.failures import explain_failure


@dataclass(frozen=True, slots=True)
class BucketVariables:
    """The variables of a bucket, in the order in which S3 finds fault with them."""

    bucket: str
    access_key: str
    secret_key: str
    region: str
    locks: tuple[str, ...]  # those that ask for Object Lock


class _Words(NamedTuple):
    cause: Cause
    variable: str  # a field of `BucketVariables`
    reason: str
    remedy: str


_REGION: Final = _Words(
    Cause.SETTING_WRONG,
    "region",
    "The bucket is in another region.",
    "Write its region in {variable}.",
)
_ABSENT: Final = _Words(
    Cause.NOT_THERE,
    "bucket",
    "There is no such bucket.",
    "Have the bucket made, or correct {variable}.",
)
_BY_CODE: Final = {
    "NoSuchBucket": _ABSENT,
    "404": _ABSENT,
    "InvalidAccessKeyId": _Words(
        Cause.CREDENTIALS_REFUSED,
        "access_key",
        "It knows no such access key.",
        "Correct {variable}.",
    ),
    "SignatureDoesNotMatch": _Words(
        Cause.CREDENTIALS_REFUSED,
        "secret_key",
        "The secret key is not that of the access key.",
        "Correct {variable}.",
    ),
    "RequestTimeTooSkewed": _Words(
        Cause.CLOCK_WRONG,
        "access_key",
        "This machine's clock differs too much from its own.",
        "Set this machine's clock, and have it kept.",
    ),
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
}


@dataclass(frozen=True)
class BucketInspection:
    """Looks at the bucket that `variables` name; `client` is the registry's own, and is closed.

    `needs_lock` and `is_versioned` are what the settings count on; the latter None for any.
    """

    name: str
    client: Any
    bucket: str
    place: Place
    variables: BucketVariables
    seconds: float
    readings: ClockReadings
    needs_lock: bool
    is_versioned: bool | None

    def look(self) -> Iterator[Diagnosis]:
        """Say what is wrong with it."""
        before = time.time()
        try:
            facts = ask_bucket(self.client, self.bucket)
        except (BotoCoreError, HTTPError, Unavailable) as error:
            host = urlsplit(self.client.meta.endpoint_url).netloc
            failure = explain_failure(error)
            yield diagnose_failure(failure, self.name, host, self.place, self.seconds)
            return
        finally:
            self.client.close()
        self._note_clock(facts, before)
        for refusal in facts.refusals:
            yield self._explain(refusal)
        yield from self._judge(facts)

    def _note_clock(self, facts: BucketFacts, before: float) -> None:
        if facts.date:
            date = parsedate_to_datetime(facts.date).timestamp()
            self.readings.add(self.name, self.place.variable, date, before, time.time())

    def _explain(self, refusal: S3Refusal) -> Diagnosis:
        words = _BY_CODE.get(refusal.code)
        if words:
            variable = getattr(self.variables, words.variable)
            remedy = words.remedy.format(variable=variable)
            return self._blame(refusal, words.cause, words.reason, remedy, variable)
        if refusal.status == 403:
            reason = f"The right {refusal.right} is denied on bucket {self.bucket}."
            remedy = f"Grant {refusal.right} on it to the key in {self.variables.access_key}."
            variable = self.variables.access_key
            return self._blame(refusal, Cause.RIGHT_DENIED, reason, remedy, variable)
        reason = f"It says {refusal.code or 'nothing'}, with status {refusal.status}."
        remedy = "Look into its log."
        variable = self.place.variable
        return self._blame(refusal, Cause.SERVICE_ILL, reason, remedy, variable)

    def _blame(
        self, refusal: S3Refusal, cause: Cause, reason: str, remedy: str, variable: str
    ) -> Diagnosis:
        observation = f"The {self.name} refuses {refusal.right} on bucket {self.bucket}."
        return Diagnosis((variable,), observation, cause, reason, remedy)

    def _judge(self, facts: BucketFacts) -> Iterator[Diagnosis]:
        if self.needs_lock and facts.has_lock is False:
            yield Diagnosis(
                (self.variables.bucket, *self.variables.locks),
                f"The bucket {self.bucket} has no Object Lock.",
                Cause.NOT_FIT,
                "What is to be kept in it could be deleted.",
                "Name a bucket that was made with Object Lock: most stores cannot add it later.",
            )
        if self.is_versioned is False and facts.is_versioned:
            yield Diagnosis(
                (self.variables.bucket, "REGISTRY_S3_VERSIONED"),
                f"The bucket {self.bucket} keeps versions.",
                Cause.NOT_FIT,
                "The settings do not say so: each document that is erased costs two requests more.",
                "Set REGISTRY_S3_VERSIONED=true.",
                Severity.WARNING,
            )
        if self.is_versioned and facts.is_versioned is False:
            yield Diagnosis(
                (self.variables.bucket, "REGISTRY_S3_VERSIONED"),
                f"The bucket {self.bucket} keeps no versions.",
                Cause.NOT_FIT,
                "The settings say that it does: what is overwritten or deleted there is lost.",
                "Have versioning switched on, or set REGISTRY_S3_VERSIONED=false.",
                Severity.WARNING,
            )
