"""Signed URLs of objects, and a look at what is behind one, past the machinery of botocore.

A call of botocore's client takes a third of the CPU of handing a document out by a proxy.
"""

import time
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import quote

from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse, HeadersDict
from botocore.exceptions import ClientError, ConnectionClosedError

from registry.blobs.bounded_calls import BUSY, SECOND_TRY, CallLimits, refuse_page
from registry.blobs.timed_http import call_time

SIGNED_FOR: Final = 60  # seconds in which a fetch must have begun
_METHOD: Final = "s3v4-query"  # botocore's name for signatures in a URL
SAFE: Final = "/~"  # characters of keys that botocore leaves as they are


def sign_url(
    client: Any, bucket: str, key: str, method: str = "GET", version: str | None = None
) -> str:
    """Sign a URL of an object, or of one of its versions; a GET may have any range.

    What botocore works out anew for each, such as how a bucket is addressed, is asked once.
    """
    path = quote(key, safe=SAFE) + (f"?versionId={quote(version, safe='')}" if version else "")
    request = AWSRequest(method, find_base(client, bucket) + path)
    signer = client._request_signer  # noqa: SLF001 - botocore has no other way
    name, region = signer.signing_name, client.meta.region_name
    signer.get_auth_instance(name, region, _METHOD, expires=SIGNED_FOR).add_auth(request)
    return str(request.url)


def read_size(client: Any, bucket: str, key: str) -> int | None:
    """Read the size of an object, in bytes; None if the store does not say.

    It has the limits, the pool and the errors of any other call of `client`.
    """
    answer = _run(client, "HEAD", sign_url(client, bucket, key, "HEAD"))
    size = answer.headers.get("Content-Length", "")
    return int(size) if size.isascii() and size.isdigit() else None


def read_version(client: Any, bucket: str, key: str, version: str) -> AWSResponse:
    """Read a version of a small object: its content, and its headers."""
    return _run(client, "GET", sign_url(client, bucket, key, version=version))


def _run(client: Any, method: str, url: str) -> AWSResponse:
    limits: CallLimits = client.call_limits
    call = partial(_ask_twice, client, method, url)
    answer: AWSResponse = limits.run(call, 0)
    return answer


@lru_cache(maxsize=8)
def find_base(client: Any, bucket: str) -> str:
    """Find the URL of a bucket, with its last slash."""
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    return str(url).partition("?")[0].removesuffix("k")


def _ask_twice(client: Any, method: str, url: str) -> AWSResponse:
    """Ask again, as for other calls, what a kept connection or a busy server ended at once."""
    try:
        return _ask(client, method, url)
    except ConnectionClosedError:
        if call_time.get().is_late:
            raise
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in BUSY:
            raise
    time.sleep(SECOND_TRY)
    return _ask(client, method, url)


def _ask(client: Any, method: str, url: str) -> AWSResponse:
    headers: Any = HeadersDict()
    session = client._endpoint.http_session  # noqa: SLF001 - botocore has no other way
    answer: AWSResponse = session.send(
        AWSPreparedRequest(method, url, headers, None, stream_output=False)
    )
    if answer.status_code != 200:
        metadata: Any = {"HTTPStatusCode": answer.status_code}
        error: Any = {"Error": {"Code": str(answer.status_code)}, "ResponseMetadata": metadata}
        raise ClientError(error, f"{method.title()}Object")
    refuse_page(answer.headers, is_download=True)
    return answer
