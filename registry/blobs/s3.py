"""Documents in S3 or anything that speaks it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from registry.blobs import Retention
from registry.blobs.sent_parts import SentParts
from registry.blobs.signed_urls import read_size, sign_url
from registry.blobs.versions import Versions, has_lock, make_lock, require_member
from registry.domain.errors import (
    DocumentAltered,
    DocumentNotStored,
    DocumentUnavailable,
    RegistryError,
    StoreUnfit,
    Unavailable,
)

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

PART_SIZE: Final = 8 * 1024 * 1024  # S3 refuses parts under 5 MiB, the last excepted
CHUNK_SIZE: Final = 256 * 1024
_NOT_FOUND_CODES: Final = {"NoSuchKey", "404", "InvalidRange", "416"}
# What S3 says of bytes that are not those of their checksum: MD5, CRC, and that of the signature.
_ALTERED_CODES: Final = {
    "BadDigest",
    "InvalidDigest",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
}


@dataclass(frozen=True)
class S3Blob:
    """A ranged download under way, of a document of `document_size` bytes if the store says so."""

    body: "StreamingBody"
    document_size: int | None

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of at most 256 KiB; raises `Unavailable` when S3 breaks off."""
        with translate_errors():
            yield from self.body.iter_chunks(CHUNK_SIZE)

    def close(self) -> None:
        """Close the connection to S3."""
        self.body.close()


@dataclass(frozen=True)
class S3Blobs:
    """One bucket. `encryption` holds the extra arguments that ask for server-side encryption.

    `retention` is for a bucket with Object Lock; `is_versioned` for one that keeps versions only.
    """

    client: "S3Client"
    bucket: str
    encryption: Mapping[str, Any] = field(default_factory=dict)
    retention: Retention | None = None
    is_versioned: bool = False
    now: Callable[[], datetime] = field(default=partial(datetime.now, UTC))

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        make_metadata: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Upload in 8-MiB parts, or at once what fits in one.

        An upload that breaks off is aborted and leaves nothing; the object is there when all of it
        is. S3 gets a checksum of each part, and its answer is held against what was sent.
        """
        place: Any = {"Bucket": self.bucket, "Key": key}
        config: Any = self.client.meta.config
        sent_parts = SentParts(has_crc=config.request_checksum_calculation == "when_supported")
        with translate_errors():
            parts = _parts(chunks)
            first, is_all = next(parts)
            options = {**self._make_options(), "Metadata": make_metadata()}
            if is_all:
                checksums = sent_parts.add(first)
                answer: Any = self.client.put_object(**place, Body=first, **checksums, **options)
            else:
                upload = self.client.create_multipart_upload(**place, **options)
                target = {**place, "UploadId": require_member(upload, "UploadId")}
                answer = self._put_parts(target, first, parts, sent_parts)
        if not sent_parts.has_etag(require_member(answer, "ETag"), is_multipart=not is_all):
            self._read_back(key, sent_parts)

    def _put_parts(
        self, target: Any, first: Any, rest: Iterator[tuple[Any, bool]], sent_parts: SentParts
    ) -> Any:
        """Upload part by part, and give the answer to the last request of it."""
        try:
            part_entries: Any = [self._put_part(target, 1, first, sent_parts)]
            for number, (part, _) in enumerate(rest, start=2):
                part_entries.append(self._put_part(target, number, part, sent_parts))
            return self.client.complete_multipart_upload(
                **target, MultipartUpload={"Parts": part_entries}
            )
        except (BotoCoreError, HTTPError):  # the store is away: the upload is swept
            raise
        except BaseException:  # a client that hangs up too: parts that stay are paid for
            with suppress(ClientError, BotoCoreError, Unavailable):
                self.client.abort_multipart_upload(**target)
            raise

    def _put_part(
        self, target: Any, number: int, part: Any, sent_parts: SentParts
    ) -> dict[str, Any]:
        checksums = sent_parts.add(part)
        answer = self.client.upload_part(**target, PartNumber=number, Body=part, **checksums)
        checksums.pop("ContentMD5")  # which names nothing in what follows, as a CRC-32 must
        return {"PartNumber": number, "ETag": require_member(answer, "ETag"), **checksums}

    def _read_back(self, key: str, sent_parts: SentParts) -> None:
        """Read what the store has, and raise `DocumentNotStored` unless it is what was sent."""
        try:
            blob = self.open(key, 0, sent_parts.size - 1, size=sent_parts.size)
            try:
                is_same = SentParts.read(_parts(blob)) == sent_parts
            finally:
                blob.close()
        except DocumentUnavailable:
            is_same = False
        if not is_same:
            with suppress(RegistryError):  # what cannot be erased now is swept
                self.erase(key)
            raise DocumentNotStored

    def _make_options(self) -> dict[str, Any]:
        """Make the arguments that have an object encrypted and kept."""
        lock = make_lock(self.retention, self.now()) if self.retention else {}
        return {**self.encryption, **lock}

    def open(self, key: str, first: int, last: int, *, size: int | None = None) -> S3Blob:
        """Start a ranged download; the object's headers have been seen when this returns."""
        if last < first:  # an empty document: S3 has no range for it
            return self._start_download(key, {}, 0)
        blob = self._start_download(key, {"Range": f"bytes={first}-{last}"}, last + 1 - first)
        if size is not None and blob.document_size not in (size, None):
            blob.close()
            raise DocumentAltered
        return blob

    def sign(self, key: str, size: int) -> str:
        """Sign the object's path for a GET from the endpoint's own host, with any range."""
        with translate_errors():
            if read_size(self.client, self.bucket, key) != size:
                raise DocumentUnavailable
            url = sign_url(self.client, self.bucket, key)
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}"

    def erase(self, key: str) -> bool:
        """One request for a bucket without versions, two and more for one with them.

        A bucket that keeps versions though nobody said so costs two more.
        """
        versions = Versions(self.client, self.bucket, key)
        is_plain = self.retention is None and not self.is_versioned
        with suppress(DocumentUnavailable), translate_errors():  # there was nothing
            return (is_plain and versions.erase_one()) or versions.erase(self.now())
        return True

    def hold(self, key: str, *, is_held: bool) -> None:
        """Of the version that is read, if there is one and the bucket has Object Lock."""
        if self.retention is not None:
            with suppress(DocumentUnavailable), translate_errors():
                Versions(self.client, self.bucket, key).hold(is_held=is_held)

    def check(self) -> None:
        """Ask for the bucket, and for its Object Lock where a retention counts on it."""
        try:
            with translate_errors():
                self.client.head_bucket(Bucket=self.bucket)
                is_fit = self.retention is None or has_lock(self.client, self.bucket)
        except DocumentUnavailable as error:  # here, what is gone is the bucket
            raise StoreUnfit("The document store has no such bucket.") from error
        except Unavailable as error:
            if _is_refusal(error.__cause__):
                raise StoreUnfit("The document store refuses our key.") from error.__cause__
            raise
        if not is_fit:
            raise StoreUnfit(f"The bucket {self.bucket} has no Object Lock for the retention.")

    def keys(self, prefix: str, before: datetime) -> Iterator[str]:
        """List a thousand at a time."""
        with translate_errors():
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    if require_member(entry, "LastModified") < before:
                        yield require_member(entry, "Key")

    def list_unfinished(self, prefix: str, before: datetime) -> Iterator[str]:
        """List a thousand at a time."""
        for upload in self._uploads(prefix, before):
            yield upload["Key"]

    def abort_uploads(self, prefix: str, before: datetime) -> Iterator[str]:
        """Parts of an upload that nobody finishes are paid for and never seen."""
        for upload in self._uploads(prefix, before):
            with translate_errors():
                self.client.abort_multipart_upload(Bucket=self.bucket, **upload)
            yield upload["Key"]

    def _uploads(self, prefix: str, before: datetime) -> Iterator[Any]:
        """List the key and id of each upload begun before an instant."""
        with translate_errors():
            pages = self.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for upload in page.get("Uploads", ()):
                    if require_member(upload, "Initiated") < before:
                        yield {name: require_member(upload, name) for name in ("Key", "UploadId")}

    def _start_download(self, key: str, span: Mapping[str, Any], length: int) -> S3Blob:
        with translate_errors():
            answer = self.client.get_object(Bucket=self.bucket, Key=key, **span)
        # S3 cuts a range at the end of the object; the headers of ours have promised all of it. A
        # store that does not say how much it sends may do so too.
        if answer.get("ContentLength") != length:
            answer["Body"].close()
            raise DocumentUnavailable
        return S3Blob(answer["Body"], _find_document_size(answer))


def _parts(chunks: Iterable[bytes]) -> Iterator[tuple[Any, bool]]:
    """Regroup the chunks into parts, at least one; each comes with whether it is the last.

    All are the same buffer, which the next part overwrites: of a large file nothing is held twice,
    since boto3 copies bytes but sends a bytearray, which its stubs do not know, as it is.
    """
    part = bytearray()
    for chunk in chunks:
        rest = chunk
        while len(part) + len(rest) > PART_SIZE:
            room = PART_SIZE - len(part)
            part += rest[:room]
            rest = rest[room:]
            yield part, False
            part.clear()
        part += rest
    yield part, True


def _find_document_size(answer: Mapping[str, Any]) -> int | None:
    """Find the size of all of a document of which the answer has a part; None if it is not said."""
    size = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return int(size) if size.isascii() and size.isdigit() else None


def _is_refusal(error: BaseException | None) -> bool:
    """Tell if S3 answered that we may not, which it goes on to answer."""
    return isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get(
        "HTTPStatusCode"
    ) in (301, 400, 401, 403)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what boto3 raises into our errors, by code; other errors pass."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code in _NOT_FOUND_CODES:
            raise DocumentUnavailable from error
        if code in _ALTERED_CODES:
            raise DocumentNotStored from error
        raise Unavailable("The document store refuses to answer.") from error
    except (BotoCoreError, HTTPError) as error:
        raise Unavailable("The document store does not answer.") from error
