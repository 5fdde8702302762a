"""What each extra brings: senders do not install a server, and a server needs no checkout."""

import json
import urllib.error
import urllib.request

import pytest

from registry.sandbox.personas import AGENCY, BAKERY, PERSONAS
from registry.sandbox.servers.processes import LOOPBACK
from registry.sandbox.tokens import fetch
from tests.factories import PDF
from tests.service import BASE, Service

pytestmark = pytest.mark.process

OF_SERVERS = {"sqlalchemy", "psycopg", "psycopg-binary", "flask", "boto3", "gunicorn", "alembic"}


@pytest.fixture(scope="module")
def server(install):
    return install("server")


@pytest.fixture(scope="module")
def sender(install):
    return install("sender")


@pytest.fixture(scope="module")
def tester(install):
    return install("conformance")


@pytest.fixture(scope="module")
def plain(install):
    return install()


@pytest.fixture(scope="module")
def service(server, tmp_path_factory):
    """The service, from the wheel, far from any checkout."""
    with Service(tmp_path_factory.mktemp("service")) as service:
        service.serve(workers=1, program=server.program("gunicorn"), folder=server.folder)
        yield service


def test_a_sender_installs_nothing_of_a_server(sender):
    packages = sender.list_packages()

    assert "requests" in packages
    assert not packages & OF_SERVERS
    assert len(packages) < 25


def test_a_sender_publishes(sender, service):
    document = sender.folder / "letter.pdf"
    document.write_bytes(PDF)
    address = f"http://{LOOPBACK}:{service.port}{BASE}"
    key = service.area / "keys" / "sender.pem"

    told = sender(
        *("registry", "publish", "--to", address, "--json"),
        *("--token-url", service.federation.token_url, "--client-id", PERSONAS["sender"].client_id),
        *("--key", str(key), "--algorithm", PERSONAS["sender"].algorithm),
        *("--sender", AGENCY.digits, "--recipient", f"enterprise:{BAKERY.digits}"),
        *("--application", "sandbox-sender", "--type", "information-letter"),
        *("--subject", "nl=Hallo", "--subject", "fr=Bonjour", "--file", f"letter={document}"),
        no_proxy="*",
    )

    assert json.loads(told)["messageId"]


def test_a_sender_asks_for_a_certificate_and_checks_one(sender):
    key, csr = sender.folder / "acc.key", sender.folder / "acc.csr"

    sender(
        *("registry", "certificate", "request", "--environment", "ACC"),
        *("--enterprise-number", AGENCY.digits, "--organization", "Agency"),
        *("--application", "sender", "--locality", "Brussel", "--province", "Brussel"),
        *("--key", str(key), "--csr", str(csr)),
    )

    assert csr.read_bytes().startswith(b"-----BEGIN CERTIFICATE REQUEST-----")
    done = sender.run("registry", "certificate", "check", str(key), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["lines"][0]["subject"] == "certificate"


@pytest.mark.parametrize("command", [("database", "check"), ("worker", "--once"), ("hold", "list")])
def test_a_sender_who_types_what_operators_do_is_told_what_to_install(sender, command):
    done = sender.run("registry", *command)

    assert done.returncode == 2
    assert "is not installed. Install ebox-message-registry[server]" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_tests_registries_needs_no_server_and_no_checkout(tester, service):
    address = f"http://{LOOPBACK}:{service.port}{BASE}"
    persona = PERSONAS["enterprise-consumer"]
    key = service.area / "keys" / f"{persona.name}.pem"
    reader = ("--token-url", service.federation.token_url, "--client-id", persona.client_id)

    told = tester(
        *("registry", "conformance", address, *reader, "--key", str(key)),
        *("--only", "token-*", "--only", "schema-*", "--html", "report.html"),
        no_proxy="*",
    )

    assert "0 not met" in told
    assert (tester.folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert not tester.list_packages() & OF_SERVERS


def test_who_has_another_extra_is_told_which_one_tests_registries(sender):
    done = sender.run("registry", "conformance", "https://registry.example/v3")

    assert done.returncode == 2
    assert "is not installed. Install ebox-message-registry[conformance]." in done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_there_without_any_extra(plain):
    assert "database" in plain("registry", "--help")
    assert "migrate" in plain("registry", "database", "--help")
    assert not plain.list_packages() & {*OF_SERVERS, "requests", "rich"}


def test_an_auditor_needs_no_extra(plain):
    assert "verify" in plain("python", "-m", "registry.audit", "--help")


def test_a_line_that_is_too_long_is_refused_as_everything_else_is(service):
    url = f"http://{LOOPBACK}:{service.port}{BASE}/ebox/messages?q={'x' * 5_000}"
    reader = PERSONAS["enterprise-consumer"]
    token = fetch(service.federation.token_url, reader, service.area / "keys")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})

    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)

    with refusal.value as answer:
        assert answer.code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_documents_of_the_contract_are_in_the_wheel(service):
    url = f"http://{LOOPBACK}:{service.port}{BASE}/doc/openapi.json"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    with opener.open(url) as answer:
        assert json.load(answer)["openapi"].startswith("3.")
