"""Settings of one environment in another are refused at start, all at once."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from registry.domain.errors import SettingsError
from registry.sandbox.layout import HASH_KEY
from registry.settings import Settings
from tests.deploy.units import read_variables
from tests.unit.test_settings import REQUIRED

GOOD = {**REQUIRED, "REGISTRY_HASH_KEY": "x" * 32}
NOW = datetime.now(UTC)


def faulty(environment="production", **changes):
    """The settings that are faulty."""
    environ = {**GOOD, "REGISTRY_ENVIRONMENT": environment, **changes}
    try:
        Settings.load(environ)
    except SettingsError as error:
        return {fault.partition(":")[0].removeprefix("REGISTRY_") for fault in error.faults}
    return set()


def a_certificate(name="registry.provider.be", *, begins=-1, ends=30):
    """A certificate and its key; days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Achats")  # who is no trial
    subject = x509.Name([owner, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=ends))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


@pytest.fixture
def certificate_file(tmp_path):
    """Write a certificate with its key; gives the path."""

    def write(suffix, **parts):
        certificate, key = a_certificate(**parts)
        path = tmp_path / f"certificate.{suffix}"
        if suffix == "pem":
            form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_bytes(key.private_bytes(*form) + certificate.public_bytes(Encoding.PEM))
        else:
            secret = BestAvailableEncryption(b"secret")
            path.write_bytes(
                pkcs12.serialize_key_and_certificates(None, key, certificate, None, secret)
            )
        return str(path)

    return write


@pytest.mark.parametrize("environment", ["acceptation", "simulation", "production"])
def test_what_is_right_starts(environment):
    assert faulty(environment) == set()


ANYWHERE_REAL = {
    "PUBLIC_URL": "http://registry.example",
    "OAUTH_TOKEN_URL": "http://oauth.example/token",
    "OAUTH_INTROSPECT_URL": "http://oauth.example/introspect",
    "PARTITION_URL": "http://partitions.example",
    "FEDERATION_URL": "http://federation.example",
    "EVENTS_URL": "http://events.example",
    "S3_ENDPOINT": "http://s3.example",
    "CORS_ORIGINS": "https://portal.example,http://portal.example",
    "DATABASE_URL": "postgresql://application@db.example/registry",
    "DATABASE_OWNER_URL": "postgresql://owner@db.example/registry",
    "DATABASE_WORKER_URL": "postgresql://worker@db.example/registry",
    "RATE_LIMIT": "0",
    "UNKNOWN_TOKENS": "0",
    "TOKEN_CACHE_WRITES": "86400",
    "TOKEN_CACHE_READS": "86400",
    "HASH_KEY": HASH_KEY,
}


@pytest.mark.parametrize("environment", ["acceptation", "simulation", "production"])
@pytest.mark.parametrize("name", ANYWHERE_REAL)
def test_what_is_for_trials_alone_is_refused_where_mail_is_real(environment, name):
    assert faulty(environment, **{f"REGISTRY_{name}": ANYWHERE_REAL[name]}) == {name}


def test_all_of_it_is_refused_at_once():
    changes = {f"REGISTRY_{name}": value for name, value in ANYWHERE_REAL.items()}

    assert faulty(**changes) == set(ANYWHERE_REAL)


def test_at_once_with_what_is_wrong_anywhere():
    changes = {f"REGISTRY_{name}": value for name, value in ANYWHERE_REAL.items()}
    changes |= {"REGISTRY_S3_TIMEOUT": "long", "REGISTRY_PUBLIC_URL": "x", "REGISTRY_S3_BUCKET": ""}

    assert faulty(**changes) == {*ANYWHERE_REAL, "S3_TIMEOUT", "S3_BUCKET"}


def test_an_environment_that_is_not_known_is_all_that_is_said_of_it():
    changes = {f"REGISTRY_{name}": value for name, value in ANYWHERE_REAL.items()}

    assert faulty("acceptatoin", **changes) == {"ENVIRONMENT"}


@pytest.mark.parametrize("environment", ["development", "test", "integration"])
def test_trials_are_free_to_use_it(environment):
    changes = {f"REGISTRY_{name}": value for name, value in ANYWHERE_REAL.items()}

    assert faulty(environment, **changes) == set()


def test_a_short_hash_key_is_refused():
    assert faulty(REGISTRY_HASH_KEY="short") == {"HASH_KEY"}


@pytest.mark.parametrize(
    "query", ["password=secret", "passfile=/run/secrets/pgpass", "sslcert=/run/secrets/db.pem"]
)
def test_a_database_may_know_us_otherwise(query):
    url = f"postgresql://application@db.example/registry?{query}"

    assert faulty(REGISTRY_DATABASE_URL=url) == set()


def test_a_store_on_this_machine_needs_no_tls():
    assert faulty(REGISTRY_S3_ENDPOINT="http://127.0.0.1:8333") == set()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("OAUTH_TOKEN_URL", "https://services-acpt.socialsecurity.be/REST/oauth/v5/token"),
        ("PARTITION_URL", "https://services-acpt.socialsecurity.be/REST/partition"),
        ("OAUTH_TOKEN_URL", "https://oauthacc.socialsecurity.be/token"),
        ("PARTITION_URL", "https://services-sim.socialsecurity.be/REST/partition"),
        ("CORS_ORIGINS", "https://dev.eboxenterprise.be"),
        ("EVENTS_URL", "https://public.int.fedservices.be/EventServices"),
        ("CORS_ORIGINS", "https://wwwacc.eboxenterprise.be"),
        ("PUBLIC_URL", "https://ebox-acc.provider.example"),
        ("S3_ENDPOINT", "https://s3.test.provider.example"),
    ],
)
def test_hosts_of_acceptance_are_none_of_production(name, url):
    assert faulty("production", **{f"REGISTRY_{name}": url}) == {name}
    assert faulty("acceptation", **{f"REGISTRY_{name}": url}) == set()


@pytest.mark.parametrize(
    "url",
    [
        "https://accounts.example/x",
        "https://www.contest.be",
        "https://integral.example",
        "https://ebox.test-achats.be",
        "https://ebox.provider.dev",
    ],
)
def test_a_host_is_known_by_whole_words_and_not_by_its_owner(url):
    assert faulty("production", REGISTRY_PARTITION_URL=url) == set()


@pytest.mark.parametrize("environment", ["development", "test", "integration", "acceptation"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("OAUTH_TOKEN_URL", "https://services.socialsecurity.be/REST/oauth/v5/token"),
        ("OAUTH_TOKEN_URL", "https://oauth.socialsecurity.be/token"),
        ("EVENTS_URL", "https://public.fedservices.be/EventServices"),
        ("CORS_ORIGINS", "https://www.eboxenterprise.be"),
    ],
)
def test_hosts_of_production_are_for_production_alone(environment, name, url):
    assert faulty(environment, **{f"REGISTRY_{name}": url}) == {name}


@pytest.mark.parametrize(
    ("parts", "wrong_in"),
    [
        ({}, set()),
        ({"ends": -1, "begins": -2}, {"acceptation", "production"}),
        ({"begins": 1}, {"acceptation", "production"}),
        ({"name": "registry-acpt.provider.be"}, {"production"}),
        ({"name": "Provider ACC"}, {"production"}),
    ],
)
@pytest.mark.parametrize(
    ("name", "suffix"), [("FEDERATION_CERTIFICATE", "pem"), ("OAUTH_KEY_PATH", "p12")]
)
def test_a_certificate_is_valid_and_of_the_environment(
    certificate_file, parts, wrong_in, name, suffix
):
    path = certificate_file(suffix, **parts)
    changes = {f"REGISTRY_{name}": path, "REGISTRY_OAUTH_KEY_PASSWORD": "secret"}

    for environment in ("development", "acceptation", "production"):
        expected = {name} if environment in wrong_in else set()
        assert faulty(environment, **changes) == expected, environment


@pytest.mark.parametrize("environment", ["acc", "prd"])
def test_the_examples_we_deliver_would_start(environment, tmp_path):
    names = (f"{environment}.env.example", f"{environment}.worker.env.example", "owner.env.example")
    environ = {**read_variables(*names), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    for name, file in environ.items():
        if name.endswith("_FILE"):
            is_url = name.endswith("URL_FILE")
            secret = "postgresql://somebody:secret@db.example/registry" if is_url else "x" * 32
            (tmp_path / file).write_text(secret, encoding="utf-8")
    environ["REGISTRY_OAUTH_CLIENT_ID"] = "a-provider"

    assert Settings.load(environ).environment in ("acceptation", "production")


OF_SERVICE = {"REGISTRY_RATE_LIMIT": "0", "REGISTRY_PARTITION_URL": "http://x-acpt.test.example"}
OF_OWNER = {"REGISTRY_DATABASE_OWNER_URL": "postgresql://owner@database/registry"}


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (["-m", "registry", "worker"], OF_SERVICE),
        (["-m", "registry", "database", "migrate"], OF_OWNER),
        (["-c", "from registry.app import create_app; create_app()"], OF_SERVICE),
    ],
)
def test_nothing_starts_with_settings_of_another_environment(command, wrong):
    environ = {**os.environ, **GOOD, "REGISTRY_ENVIRONMENT": "production", **wrong}

    done = subprocess.run(
        [sys.executable, *command], env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert all(name in told for name in wrong), told
