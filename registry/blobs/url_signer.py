"""Signatures in URLs for many reads: what they have in common is worked out once a second.

To sign takes botocore a tenth of the time in which a small object is read. This is Signature
Version 4 of AWS for one case, a GET of a version; the tests hold it against botocore's own.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from registry.blobs.signed_urls import SAFE, SIGNED_FOR, find_base

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class UrlSigner:
    """Signs URLs of versions in one bucket, as `client` would; `base` is the URL of the bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        signer = client._request_signer  # noqa: SLF001 - botocore has no other way
        credentials = signer._credentials.get_frozen_credentials()  # noqa: SLF001
        self._access_key, self._secret_key = credentials.access_key, credentials.secret_key
        self._region = client.meta.region_name
        self.base = find_base(client, bucket)
        address = urlsplit(self.base)
        is_usual = address.port in (None, _DEFAULT_PORTS.get(address.scheme))
        self._host = address.hostname if is_usual else address.netloc
        self._folder = address.path
        self._time = self._scope = self._query = ""
        self._key = b""

    def sign(self, key: str, version: str) -> str:
        """Sign the path and the query with which this version is read, for a minute."""
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        if time != self._time:
            self._begin_second(time)
        path = self._folder + quote(key, safe=SAFE)
        query = f"{self._query}&versionId={quote(version, safe='')}"
        request = f"GET\n{path}\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        statement = f"{_ALGORITHM}\n{time}\n{self._scope}\n{digest}"
        signature = _hash(self._key, statement).hex()
        return f"{path}?{query}&X-Amz-Signature={signature}"

    def _begin_second(self, time: str) -> None:
        day = time[:8]
        self._time, self._scope = time, f"{day}/{self._region}/s3/aws4_request"
        members = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": quote(f"{self._access_key}/{self._scope}", safe=""),
            "X-Amz-Date": time,
            "X-Amz-Expires": str(SIGNED_FOR),
            "X-Amz-SignedHeaders": "host",
        }
        self._query = "&".join(f"{name}={value}" for name, value in members.items())
        self._key = f"AWS4{self._secret_key}".encode()
        for part in (day, self._region, "s3", "aws4_request"):
            self._key = _hash(self._key, part)


def _hash(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
