"""The same bounds through TLS and through a proxy."""

import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.http_client.access_token import Identity, OwnToken
from registry.http_client.client import Upstream

TODAY = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path):
    """A certificate for 127.0.0.1 that is its own authority, as a file, and the server's side."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(TODAY - timedelta(days=1))
        .not_valid_after(TODAY + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, secret = tmp_path / "ca.pem", tmp_path / "key.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(path, secret)
    return path, tls


@pytest.fixture
def upstream():
    built = []

    def build(timeout=5, **more):
        built.append(Upstream("service", timeout=timeout, **more))
        return built[-1]

    yield build
    for one in built:
        one.close()


def test_a_server_is_trusted_by_the_authority_that_is_configured(
    secure_federation, authority, upstream, clock, rsa_key
):
    bundle, tls = authority
    federation = secure_federation(tls)
    federation.on["/x"] = federation.says({"a": 1})
    url = f"{federation.url}/token"

    trusting = OwnToken(Identity("us", rsa_key), url, clock, timeout=5, ca_bundle=bundle)
    assert trusting.value() == "own-token-1"
    assert upstream(ca_bundle=bundle).get(f"{federation.url}/x", "token").members() == {"a": 1}

    with pytest.raises(Unavailable):
        OwnToken(Identity("us", rsa_key), url, clock, timeout=5).value()
    with pytest.raises(Unavailable):
        upstream().get(f"{federation.url}/x", "token")
    with pytest.raises(Unavailable):
        upstream().tell(f"{federation.url}/x", "token", b"[]")
    assert federation.calls == {"/token": 1, "/x": 1}


@pytest.mark.parametrize("pace", ["is_silent", "dribbles_headers", "dribbles_body"])
def test_slowness_through_tls_is_bounded(secure_federation, authority, upstream, pace):
    bundle, tls = authority
    federation = secure_federation(tls)
    federation.on["/x"] = getattr(federation, pace)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        upstream(0.5, ca_bundle=bundle).get(f"{federation.url}/x", "token")

    assert time.monotonic() - began < 2.5


def test_a_proxy_of_the_environment_is_used_and_bounded_too(federation, upstream, monkeypatch):
    monkeypatch.setenv("http_proxy", federation.url)
    federation.on["http://far.example/x"] = federation.says({"a": 1})
    federation.on["http://far.example/slow"] = federation.dribbles_headers
    service = upstream(1)
    began = time.monotonic()

    assert service.get("http://far.example/x", "token").members() == {"a": 1}
    with pytest.raises(Unavailable):
        service.get("http://far.example/slow", "token")

    assert time.monotonic() - began < 2.5


def test_a_password_file_does_not_replace_our_bearer(federation, upstream, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    federation.on["/x"] = federation.says({}, 200, **{"Set-Cookie": "a=b"})
    service = upstream()

    for _ in range(2):
        service.get(f"{federation.url}/x", "token")

    assert federation.requests[-1].headers["Authorization"] == "Bearer token"
    assert "Cookie" not in federation.requests[-1].headers


def test_a_password_file_does_not_fill_in_for_a_bearer(federation, upstream, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    federation.on["/x"] = federation.says(b"", 201)

    upstream().tell(f"{federation.url}/x", None, b"[]")

    assert "Authorization" not in federation.requests[-1].headers


@pytest.mark.parametrize("status", [201, 304, 400, 401, 409, 429, 500, 503])
def test_what_is_told_is_answered_with_any_status(federation, upstream, status):
    headers = {"Content-Type": "Text/Plain; charset=utf-8", "Retry-After": "7"}
    federation.on["/x"] = federation.says(b"", status, **headers)

    answer = upstream().tell(f"{federation.url}/x", "token", b'[{"a":1}]')

    assert (answer.status, answer.media_type, answer.retry_after) == (status, "text/plain", "7")
    asked = federation.requests[-1]
    assert (asked.command, asked.body) == ("POST", b'[{"a":1}]')
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == "Bearer token"


def test_a_long_answer_to_what_was_told_is_cut(federation, upstream):
    federation.on["/x"] = federation.says(b"x" * 1_000_000, 201)
    service = upstream()

    answers = [service.tell(f"{federation.url}/x", "token", b"[]") for _ in range(2)]

    assert all(64 * 1024 < len(answer.body) < 100_000 for answer in answers)


def test_what_is_told_does_not_follow_a_redirect(federation, upstream):
    federation.on["/x"] = federation.says(b"", 307, Location="/y")

    with pytest.raises(UpstreamInvalid):
        upstream().tell(f"{federation.url}/x", "token", b"[]")
    assert federation.calls == {"/x": 1}
