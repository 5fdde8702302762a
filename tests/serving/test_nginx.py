"""The reference front: documents by X-Accel-Redirect, two lanes, errors in our shapes."""

import json
import socket
from contextlib import ExitStack
from http.client import HTTPResponse
from uuid import UUID

import pytest

from registry.domain.document_metadata import make_metadata
from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER, SENDER
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.wiring.operators import OperatorServices
from tests.conformance.bases import V2
from tests.conftest import V3
from tests.factories import a_file, an_ebox
from tests.gunicorn import run_gunicorn
from tests.nginx import connect_to, needs_nginx, run_nginx

pytestmark = [pytest.mark.process, needs_nginx]

LISTING = f"{V3[EboxKind.ENTERPRISE]}/ebox/messages"
LARGE = b"%PDF-1.4\n" + bytes(range(256)) * 4096 + b"\n%%EOF\n"
SMALL = b"%PDF-1.4 small\n%%EOF\n"


@pytest.fixture(scope="module")
def ports(settings, tmp_path_factory):
    """Of the two lanes, without nginx: by name."""
    folder = tmp_path_factory.mktemp("lanes")
    with ExitStack() as stack:
        lanes = {}
        for lane in ("reading", "publishing"):
            (folder / lane).mkdir()
            variables = {"REGISTRY_LANE": lane, "REGISTRY_ACCEL": "true"}
            lanes[lane] = stack.enter_context(
                run_gunicorn(settings, folder / lane, "--threads", "4", **variables)
            )
        yield lanes


@pytest.fixture(scope="module")
def front(settings, ports, tmp_path_factory):
    """The port of nginx before both lanes."""
    lanes = {lane: [port] for lane, port in ports.items()}
    folder = tmp_path_factory.mktemp("nginx")
    with run_nginx(folder, s3_endpoint=settings.s3_endpoint, **lanes) as port:
        yield port


@pytest.fixture
def ask(front):
    """Ask nginx: `ask(method, path, token, **headers)`; gives status, headers, content."""

    def send(method, path, token="", body=b"", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body or method not in ("GET", "HEAD"):
            named["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
        lines += [f"{name}: {value}" for name, value in named.items()]
        with connect_to(front) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            answer = HTTPResponse(connection, method=method)
            answer.begin()
            return answer.status, answer.headers, answer.read()

    return send


@pytest.fixture
def letter(party, deliver, blobs):
    """A large document in an e-Box of its own: path in version 3, token, its row."""
    ebox = an_ebox()
    file = a_file(LARGE, file_name="brief é.pdf")
    message_id = deliver(ebox, file, content=LARGE)
    metadata = make_metadata(message_id, "application/pdf", file["file_name"], file["digest"])
    blobs.put(file["blob_key"], [LARGE], lambda: metadata)
    token = party(CONSUMER, enterprise=ebox.number)
    return f"{LISTING}/{message_id}/attachments/1/content", token, file


@pytest.fixture
def is_read(ask):
    """Tell if the message of a document is read."""

    def look(path, token):
        _, _, content = ask("GET", path.split("/attachments/")[0], token)
        return json.loads(content)["isRead"]

    return look


def test_a_withdrawn_document_is_handed_out_no_more(ask, letter, settings):
    """Whole or in part, by the same path; what nginx fetches from is named to nobody outside."""
    path, token, _ = letter
    before = ask("GET", path, token, Range="bytes=0-99")
    message_id = UUID(path.split("/")[-4])
    services = OperatorServices(settings)
    try:
        assert list(services.withdrawal.withdraw(message_id, None, "a mistake"))
    finally:
        services.dispose()

    whole = ask("GET", path, token)
    ranges = [ask("GET", path, token, Range=each) for each in ("bytes=100-199", "bytes=-10")]
    known = ask("GET", path, token, If_Range=before[1]["ETag"], Range="bytes=100-199")

    assert (before[0], before[2]) == (206, LARGE[:100])
    assert not any("accel" in name.lower() for name in before[1])
    assert [each[0] for each in (whole, *ranges, known)] == [404] * 4


def test_a_large_document_comes_with_all_its_headers_and_is_read(ask, letter, is_read):
    path, token, file = letter
    assert not is_read(path, token)

    status, headers, content = ask("GET", path, token, BelGov_Trace_Id="of-the-client")

    assert (status, content) == (200, LARGE)
    assert headers.get_content_type() == "application/pdf"
    assert headers["Content-Length"] == str(len(LARGE))
    assert headers["ETag"] == f'"{file["digest"]}"'
    assert "filename*=UTF-8''brief%20%C3%A9.pdf" in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Accept-Ranges"] == "bytes"
    assert len(headers["BelGov-Trace-Id"]) == 36
    assert headers["BelGov-Related-Trace-Id"] == "of-the-client"
    assert headers["Strict-Transport-Security"]
    expected = {"Server", "Date", "Connection", "Content-Type", "Content-Length", "ETag"}
    expected |= {"Content-Disposition", "Cache-Control", "Accept-Ranges", "X-Content-Type-Options"}
    expected |= {"BelGov-Trace-Id", "BelGov-Related-Trace-Id", "Strict-Transport-Security"}
    assert set(headers) == expected  # and nothing that S3 says of itself
    assert is_read(path, token)


def test_it_comes_by_the_proxy_and_not_through_python(ports, letter):
    """gunicorn names it to whoever says that he is the proxy; to others it hands it out."""
    path, token, _ = letter
    for accel, length in (("documents", 0), ("", len(LARGE))):
        with socket.create_connection((LOOPBACK, ports["reading"]), timeout=30) as connection:
            lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
            connection.sendall("\r\n".join([*lines, f"X-Accel: {accel}", "", ""]).encode())
            answer = HTTPResponse(connection)
            answer.begin()
            assert len(answer.read()) == length
            redirect = answer.headers["X-Accel-Redirect"]
            assert bool(redirect) is bool(accel)
            assert not redirect or redirect.startswith("/_documents/")


def test_version_2_serves_it_as_octets(ask, letter):
    path, token, _ = letter
    path = path.replace(V3[EboxKind.ENTERPRISE], V2[EboxKind.ENTERPRISE])

    status, headers, content = ask("GET", path, token)

    assert (status, headers.get_content_type()) == (200, "application/octet-stream")
    assert content == LARGE


def test_a_small_document_comes_through_the_registry(ask, party, deliver):
    ebox = an_ebox()
    message_id = deliver(ebox, a_file(SMALL), content=SMALL)
    token = party(CONSUMER, enterprise=ebox.number)

    status, _, content = ask("GET", f"{LISTING}/{message_id}/attachments/1/content", token)

    assert (status, content) == (200, SMALL)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", (206, "bytes 0-9/{size}", slice(0, 10))),
        ("bytes=-5", (206, "bytes {before}-{last}/{size}", slice(-5, None))),
        ("bytes=1000000-", (206, "bytes 1000000-{last}/{size}", slice(1_000_000, None))),
        ("bytes=0-1,5-6", (200, None, slice(None))),
        ("lines=0-1", (200, None, slice(None))),
    ],
)
def test_ranges_are_those_of_the_registry(ask, letter, asked, expected):
    path, token, file = letter
    status, content_range, part = expected
    size = len(LARGE)
    named = content_range and content_range.format(size=size, last=size - 1, before=size - 5)

    answered, headers, content = ask("GET", path, token, Range=asked)

    assert (answered, headers["Content-Range"], content) == (status, named, LARGE[part])
    assert headers["ETag"] == f'"{file["digest"]}"'


def test_a_range_of_another_document_is_the_whole(ask, letter):
    path, token, file = letter
    tag = f'"{file["digest"]}"'

    status, _, content = ask("GET", path, token, Range="bytes=0-9", If_Range='"other"')
    assert (status, content) == (200, LARGE)

    status, _, content = ask("GET", path, token, Range="bytes=0-9", If_Range=tag)
    assert (status, content) == (206, LARGE[:10])


def test_conditions_are_judged_by_the_registry(ask, letter, is_read):
    path, token, file = letter
    tag = f'"{file["digest"]}"'

    assert ask("GET", path, token, If_None_Match=tag)[0] == 304
    assert ask("GET", path, token, If_Match='"other"')[0] == 412
    status, headers, _ = ask("GET", path, token, Range=f"bytes={len(LARGE)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(LARGE)}")
    status, headers, content = ask("HEAD", path, token)
    assert (status, headers["Content-Length"], content) == (200, str(len(LARGE)), b"")
    assert not is_read(path, token)


def test_a_document_that_is_gone_is_502_and_leaves_the_message_unread(ask, letter, is_read, blobs):
    path, token, file = letter
    blobs.erase(file["blob_key"])

    status, headers, _ = ask("GET", path, token)

    assert (status, headers.get_content_type()) == (502, "application/problem+json")
    assert not is_read(path, token)


@pytest.mark.parametrize("prefix", ["", "/", "/x/..", "/%5fdocuments/..", "/REST/../"])
def test_nobody_reaches_an_object_by_himself(ask, blobs, letter, prefix):
    _, token, file = letter
    signed = blobs.sign(file["blob_key"], len(LARGE))

    for path in (f"{prefix}/_documents{signed}", f"{prefix}/%5Fdocuments{signed}"):
        status, _, content = ask("GET", path, token, X_Accel="documents", X_Accel_Redirect=path)
        assert status in (400, 404)
        assert LARGE not in content


def test_what_the_client_says_of_himself_is_replaced(ask, letter):
    path, token, _ = letter

    status, _, content = ask("GET", path, token, X_Accel="no", X_Forwarded_For="192.0.2.1")

    assert (status, content) == (200, LARGE)


def test_publications_have_their_own_lane(settings, ports, tmp_path_factory, party):
    """Without that lane reading goes on, and publishing is refused in each version's shape."""
    folder = tmp_path_factory.mktemp("nginx")
    gone = free_port()
    enterprise = an_ebox().number
    token = party(SENDER, CONSUMER, enterprise=enterprise)
    lanes = {"reading": [ports["reading"]], "publishing": [gone]}
    with run_nginx(folder, s3_endpoint=settings.s3_endpoint, **lanes) as front:

        def ask(method, path):
            with connect_to(front) as connection:
                lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Length: 0"]
                lines += [f"Authorization: Bearer {token}", "", ""]
                connection.sendall("\r\n".join(lines).encode())
                answer = HTTPResponse(connection)
                answer.begin()
                return answer.status, answer.headers, answer.read()

        assert ask("GET", LISTING)[0] == 200
        assert ask("PATCH", LISTING)[0] == 415
        some = "/0c7a1f0e-6f0b-4c7f-9b51-5b7f3a2d9f10"
        for path in (LISTING, LISTING + some + "/replies", LISTING + some + "/recipients"):
            status, headers, content = ask("POST", path)
            assert (status, headers.get_content_type()) == (503, "application/problem+json")
            assert headers["Retry-After"] == "5"
            assert json.loads(content)["status"] == 503
        for path in ("/publishMessage", "/linkEboxMessage"):
            status, headers, content = ask("POST", V2[EboxKind.ENTERPRISE] + path)
            assert (status, headers.get_content_type()) == (503, "application/json")
            assert json.loads(content)["code"] == "SERVICE_UNAVAILABLE"


def test_a_document_that_nginx_cannot_fetch_is_502(ports, tmp_path_factory, letter):
    path, token, _ = letter
    lanes = {lane: [port] for lane, port in ports.items()}
    gone = f"http://{LOOPBACK}:{free_port()}"
    folder = tmp_path_factory.mktemp("nginx")
    in_version_2 = path.replace(V3[EboxKind.ENTERPRISE], V2[EboxKind.ENTERPRISE])
    with run_nginx(folder, s3_endpoint=gone, **lanes) as front:
        for url, media_type in (
            (path, "application/problem+json"),
            (in_version_2, "application/json"),
        ):
            with connect_to(front) as connection:
                lines = [f"GET {url} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
                connection.sendall("\r\n".join([*lines, "", ""]).encode())
                answer = HTTPResponse(connection)
                answer.begin()
                content = json.loads(answer.read())

            assert (answer.status, answer.headers.get_content_type()) == (502, media_type)
            assert content["code"] == "DOCUMENT_UNAVAILABLE"
            assert len(answer.headers["BelGov-Trace-Id"]) == 36
            assert answer.headers["Retry-After"] == "5"
            assert "Content-Disposition" not in answer.headers


def test_a_flood_from_one_address_is_refused(settings, ports, tmp_path_factory):
    lanes = {lane: [port] for lane, port in ports.items()}
    folder = tmp_path_factory.mktemp("nginx")
    request = f"GET {V3[EboxKind.ENTERPRISE]}/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    statuses = []
    with (
        run_nginx(
            folder, s3_endpoint=settings.s3_endpoint, trusts=False, burst=3, **lanes
        ) as front,
        connect_to(front) as connection,
    ):
        while 429 not in statuses and len(statuses) < 100:
            connection.sendall(request.encode())
            answer = HTTPResponse(connection)
            answer.begin()
            answer.read()
            statuses.append(answer.status)

    assert set(statuses) == {200, 429}
    assert answer.headers["Retry-After"] == "1"
