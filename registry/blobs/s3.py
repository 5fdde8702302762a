"""Documents in S3 or anything that speaks it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from registry.domain.errors import DocumentUnavailable, Unavailable

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

PART_SIZE: Final = 8 * 1024 * 1024  # S3 refuses parts under 5 MiB, the last excepted
CHUNK_SIZE: Final = 256 * 1024
_GONE: Final = {"NoSuchKey", "404", "InvalidRange", "416"}


@dataclass(frozen=True)
class S3Blob:
    """A ranged download under way."""

    body: "StreamingBody"

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of at most 256 KiB; raises `Unavailable` when S3 breaks off."""
        with _translated():
            yield from self.body.iter_chunks(CHUNK_SIZE)

    def close(self) -> None:
        """Close the connection to S3."""
        self.body.close()


@dataclass(frozen=True)
class S3Blobs:
    """One bucket. `encryption` holds the extra arguments that ask for server-side encryption."""

    client: "S3Client"
    bucket: str
    encryption: Mapping[str, Any] = field(default_factory=dict)

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Upload in 8-MiB parts; an upload that breaks off is aborted and leaves nothing."""
        with _translated():
            upload = self.client.create_multipart_upload(
                Bucket=self.bucket, Key=key, **self.encryption
            )["UploadId"]
            named: Any = {"Bucket": self.bucket, "Key": key, "UploadId": upload}
            try:
                parts: Any = [
                    {
                        "PartNumber": number,
                        "ETag": self.client.upload_part(**named, PartNumber=number, Body=part)[
                            "ETag"
                        ],
                    }
                    for number, part in enumerate(_parts(chunks), start=1)
                ]
                self.client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
            except BaseException:
                self.client.abort_multipart_upload(**named)
                raise

    def open(self, key: str, first: int, last: int) -> S3Blob:
        """Start a ranged download; the object's headers have been seen when this returns."""
        if last < first:  # an empty document: S3 has no range for it
            return self._opened(key, {}, 0)
        return self._opened(key, {"Range": f"bytes={first}-{last}"}, last + 1 - first)

    def delete(self, key: str) -> None:
        """Delete the object."""
        with _translated():
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def check(self) -> None:
        """Ask for the bucket."""
        try:
            with _translated():
                self.client.head_bucket(Bucket=self.bucket)
        except DocumentUnavailable as error:  # here, what is gone is the bucket
            raise Unavailable("The document store has no such bucket.") from error

    def _opened(self, key: str, span: Mapping[str, Any], length: int) -> S3Blob:
        with _translated():
            answer = self.client.get_object(Bucket=self.bucket, Key=key, **span)
        if answer["ContentLength"] != length:
            answer["Body"].close()
            raise DocumentUnavailable
        return S3Blob(answer["Body"])


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks regrouped into parts; one buffer, and at least one part, as S3 wants."""
    buffer = bytearray()
    sent = False
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_SIZE:
            yield bytes(memoryview(buffer)[:PART_SIZE])
            sent = True
            del buffer[:PART_SIZE]
    if buffer or not sent:
        yield bytes(buffer)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what boto3 raises into our words, by code; the rest flies."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE:
            raise DocumentUnavailable from error
        raise Unavailable("The document store refuses to answer.") from error
    except (BotoCoreError, HTTPError) as error:
        raise Unavailable("The document store does not answer.") from error
