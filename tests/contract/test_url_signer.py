"""URLs that are signed for many reads are those that botocore would sign."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from registry.blobs.signed_urls import sign_url
from registry.blobs.url_signer import UrlSigner
from registry.wiring.storage import make_s3_client


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"s3_endpoint": "https://s3.eu-west-1.amazonaws.com", "s3_region": "eu-west-1"},
        {"s3_endpoint": "https://store.test:8443", "s3_addressing": "virtual"},
        {"s3_endpoint": "http://store.test:80"},
    ],
)
@pytest.mark.parametrize("key", ["seals/000000000001.json", "a b/\N{EURO SIGN}+~&?.json"])
def test_a_signature_is_that_of_botocore(settings, changes, key):
    client = make_s3_client(settings.model_copy(update=changes))
    signer = UrlSigner(client, "a-bucket")

    for second in (0, 1, 1):
        with time_machine.travel(
            datetime(2026, 11, 27, 23, 59, 59 * second, tzinfo=UTC), tick=False
        ):
            url = urlsplit(sign_url(client, "a-bucket", key, version="v+/= 1"))
            target = urlsplit(signer.sign(key, "v+/= 1"))

        assert target.path == url.path
        assert parse_qs(target.query) == parse_qs(url.query)
    client.close()
