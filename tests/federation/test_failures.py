"""Why a call failed, told apart on real sockets: names, ports, silence, TLS of every kind."""

import socket
import ssl
from contextlib import contextmanager

import pytest

from registry.domain.diagnoses import Cause
from registry.http_client.probe import Probe, ProbeFailure
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.certificates import Authority


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Certificates of servers and clients, and two authorities."""
    folder = tmp_path_factory.mktemp("failures")
    ours, another = Authority(), Authority("Another authority")
    for name, content in {
        "ours.pem": ours.pem,
        "another.pem": another.pem,
        "server.pem": ours.issue(),
        "expired.pem": ours.issue(days=(-30, -1)),
        "early.pem": ours.issue(days=(1, 30)),
        "elsewhere.pem": ours.issue(names=("registry.example",)),
        "stranger.pem": another.issue(),
    }.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def serve(secure_federation, files):
    """Start a server with this certificate; gives its URL."""

    def start(certificate, clients=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / certificate)
        if clients:
            context.load_verify_locations(files / clients)
            context.verify_mode = ssl.CERT_REQUIRED
        federation = secure_federation(context)
        federation.on["/"] = federation.says({"a": 1})
        return f"{federation.url}/"

    return start


def find_cause(url, **probe):
    with pytest.raises(ProbeFailure) as failed:
        Probe(**{"timeout": 3} | probe).call("GET", url)
    return failed.value.failure.cause


@contextmanager
def a_listener():
    """A port where connections are taken, and nothing is said."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_whoever_answers_is_heard(serve, files):
    reply = Probe(3, files / "ours.pem").call("GET", serve("server.pem"))

    assert (reply.status, reply.read_json()) == (200, {"a": 1})
    assert reply.date is not None


def test_a_name_that_nobody_has():
    assert find_cause("http://nobody.invalid/") is Cause.NAME_NOT_RESOLVED


def test_a_port_that_nobody_listens_at():
    assert find_cause(f"http://{LOOPBACK}:{free_port()}/") is Cause.CONNECTION_REFUSED


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing(scheme):
    with a_listener() as port:
        assert find_cause(f"{scheme}://{LOOPBACK}:{port}/", timeout=0.5) is Cause.TIME_OUT


def test_a_server_that_hangs_up(federation):
    federation.on["/"] = federation.resets

    assert find_cause(f"{federation.url}/") is Cause.CONNECTION_CUT


def test_a_server_that_speaks_no_tls(federation):
    assert find_cause(federation.url.replace("http:", "https:")) is Cause.TLS_MISSING


def test_a_proxy_that_is_not_there(federation, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://{LOOPBACK}:{free_port()}")

    assert find_cause(f"{federation.url}/") is Cause.PROXY_IN_THE_WAY


def test_a_server_that_sends_us_elsewhere(federation):
    federation.on["/"] = federation.says(b"", 302, Location="http://elsewhere.invalid/")

    assert find_cause(f"{federation.url}/") is Cause.ANOTHER_SERVICE


@pytest.mark.parametrize(
    ("certificate", "bundle", "cause"),
    [
        ("server.pem", "another.pem", Cause.CERTIFICATE_UNKNOWN),
        ("server.pem", None, Cause.CERTIFICATE_UNKNOWN),
        ("expired.pem", "ours.pem", Cause.CERTIFICATE_EXPIRED),
        ("early.pem", "ours.pem", Cause.CERTIFICATE_EARLY),
        ("elsewhere.pem", "ours.pem", Cause.CERTIFICATE_OF_ANOTHER),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted(serve, files, certificate, bundle, cause):
    ca_bundle = files / bundle if bundle else None

    assert find_cause(serve(certificate), ca_bundle=ca_bundle) is cause


@pytest.mark.parametrize("ours", ["stranger.pem", None])
def test_a_server_that_does_not_trust_ours(serve, files, ours):
    url = serve("server.pem", clients="ours.pem")
    certificate = files / ours if ours else None

    cause = find_cause(url, ca_bundle=files / "ours.pem", certificate=certificate)

    assert cause is Cause.OUR_CERTIFICATE_REFUSED
