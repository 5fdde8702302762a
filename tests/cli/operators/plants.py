"""Faults that are planted into settings that are right, with real parts at the other end."""

import json
import shutil
import socket
import time
from contextlib import ExitStack, contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey
from sqlalchemy import create_engine

from registry import migrations
from registry.domain.diagnoses import Cause
from registry.sandbox.federation.clients import add_client
from registry.sandbox.servers.postgres import APPLICATION_ROLE, SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK, Process, free_port, is_free
from registry.store.schema import REVISION
from tests.certificates import Authority, write_key
from tests.databases import migrated_database
from tests.poolers import a_pgbouncer
from tests.tls import tls_before

OURS = "urn:be:fgov:kbo-bce:organization:cbe-number:0206731645"
ANOTHERS = "urn:be:fgov:kbo-bce:organization:cbe-number:0308357159"


class Planted(NamedTuple):
    """The variables of a fault, and what must be told of it: a variable and the cause."""

    variables: dict[str, str]
    variable: str
    cause: Cause


class Parts:
    """The real parts that faults are planted at; what is started ends with it."""

    def __init__(self, cluster, objects, federation, environment):
        self.cluster, self.objects, self.federation = cluster, objects, federation
        self.environment = environment
        self.stack = ExitStack()
        self.folder = Path(mkdtemp(prefix="plants-"))
        self.folder.chmod(0o755)
        self.ours, self.another = Authority(), Authority("Another authority")
        self.ca = self.write("ours.pem", self.ours.pem)
        self.another_ca = self.write("another.pem", self.another.pem)

    def close(self):
        self.stack.close()
        shutil.rmtree(self.folder)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def secure(self, url, certificate, clients=None):
        """The URL of what speaks TLS before the server of a URL, with this certificate."""
        file = self.write(f"{uuid4().hex}.pem", certificate)
        parts = urlsplit(url)
        port = self.stack.enter_context(tls_before(parts.port, file, clients))
        return parts._replace(scheme="https", netloc=f"{LOOPBACK}:{port}").geturl()

    def make_database(self, revision=None):
        name = f"planted_{uuid4().hex[:12]}"
        self.cluster.create_database(name)
        self.stack.callback(self.cluster.drop_database, name)
        if revision:
            engine = create_engine(self.cluster.url("owner", name))
            migrations.upgrade(engine, APPLICATION_ROLE, revision)
            engine.dispose()
        return name


PLANTS = {}


def plant(function):
    PLANTS[function.__name__] = function
    return function


def set_in(variable, value, cause, **more):
    return Planted({variable: value, **more}, variable, cause)


# The network


@plant
def a_name_that_is_not_resolved(_parts):
    url = "http://partitions.invalid/partition/v1"
    return set_in("REGISTRY_PARTITION_URL", url, Cause.NAME_NOT_RESOLVED)


@plant
def a_port_where_nobody_listens(_parts):
    url = f"http://{LOOPBACK}:{free_port()}/events"
    return set_in("REGISTRY_EVENTS_URL", url, Cause.CONNECTION_REFUSED)


@plant
def a_service_that_says_nothing(parts):
    server = parts.stack.enter_context(socket.create_server((LOOPBACK, 0)))
    url = f"http://{LOOPBACK}:{server.getsockname()[1]}/federation"
    soon = {"REGISTRY_FEDERATION_TIMEOUT": "0.5"}
    return set_in("REGISTRY_FEDERATION_URL", url, Cause.TIME_OUT, **soon)


@plant
def a_clamd_that_is_not_there(_parts):
    address = f"{LOOPBACK}:{free_port()}"
    return set_in("REGISTRY_CLAMD_ADDRESS", address, Cause.CONNECTION_REFUSED)


@plant
def something_else_than_clamd(parts):
    port = urlsplit(parts.objects.endpoint).port
    address = f"{LOOPBACK}:{port}"
    return set_in("REGISTRY_CLAMD_ADDRESS", address, Cause.ANOTHER_SERVICE)


@plant
def a_store_of_counts_that_wants_a_password(parts):
    if shutil.which("redis-server") is None:
        pytest.skip("Debian's redis-server is not installed")
    port = free_port()
    process = Process("redis", parts.folder / "redis.log")
    process.start(
        [
            "redis-server",
            "--port",
            str(port),
            "--bind",
            LOOPBACK,
            "--save",
            "",
            "--requirepass",
            "x",
        ],
        cwd=parts.folder,
    )
    parts.stack.callback(process.stop)
    process.wait_until(lambda: not is_free(port), timeout=10)
    url = f"redis://{LOOPBACK}:{port}/0"
    return set_in("REGISTRY_RATE_LIMIT_URL", url, Cause.CREDENTIALS_REFUSED)


# Certificates of others


@plant
def an_authority_that_is_another(parts):
    url = parts.secure(parts.objects.endpoint, parts.ours.issue())
    changes = {"REGISTRY_S3_ENDPOINT": url, "REGISTRY_S3_CA_BUNDLE": parts.another_ca}
    return Planted(changes, "REGISTRY_S3_CA_BUNDLE", Cause.CERTIFICATE_UNKNOWN)


@plant
def an_authority_that_is_not_set(parts):
    url = parts.secure(parts.federation.partition_url, parts.ours.issue())
    changes = {"REGISTRY_PARTITION_URL": url}
    return Planted(changes, "REGISTRY_PARTITION_CA_BUNDLE", Cause.CERTIFICATE_UNKNOWN)


@plant
def a_certificate_that_has_expired(parts):
    url = parts.secure(parts.federation.introspect_url, parts.ours.issue(days=(-30, -1)))
    trust = {"REGISTRY_OAUTH_CA_BUNDLE": parts.ca}
    return set_in("REGISTRY_OAUTH_INTROSPECT_URL", url, Cause.CERTIFICATE_EXPIRED, **trust)


@plant
def a_certificate_of_another_name(parts):
    certificate = parts.ours.issue(names=("preferences.example",))
    url = parts.secure(parts.federation.federation_url, certificate)
    trust = {"REGISTRY_FEDERATION_CA_BUNDLE": parts.ca}
    return set_in("REGISTRY_FEDERATION_URL", url, Cause.CERTIFICATE_OF_ANOTHER, **trust)


@plant
def a_service_that_wants_our_certificate(parts):
    url = parts.secure(parts.federation.events_url, parts.ours.issue(), clients=parts.ca)
    changes = {"REGISTRY_EVENTS_URL": url, "REGISTRY_EVENTS_CA_BUNDLE": parts.ca}
    variable = "REGISTRY_FEDERATION_CERTIFICATE"
    return Planted(changes, variable, Cause.OUR_CERTIFICATE_REFUSED)


@plant
def a_service_without_tls(parts):
    url = parts.federation.partition_url.replace("http:", "https:")
    return set_in("REGISTRY_PARTITION_URL", url, Cause.TLS_MISSING)


# The authorization server and the federation's services


@plant
def a_key_that_is_not_registered(parts):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = parts.write("wrong-key.pem", write_key(key))
    return set_in("REGISTRY_OAUTH_KEY_PATH", path, Cause.CREDENTIALS_REFUSED)


@plant
def a_client_that_nobody_knows(_parts):
    return set_in("REGISTRY_OAUTH_CLIENT_ID", "stranger", Cause.CREDENTIALS_REFUSED)


@plant
def a_scope_that_is_not_granted(_parts):
    scope = "scope:nobody:has:this"
    return set_in("REGISTRY_FEDERATION_SCOPE", scope, Cause.RIGHT_DENIED)


@plant
def an_address_with_another_path(parts):
    url = f"{parts.federation.base_url}/REST/ebox/enterprise/partitions/v1"
    return set_in("REGISTRY_PARTITION_URL", url, Cause.ANOTHER_SERVICE)


@plant
def a_clock_that_is_wrong(parts):
    url = parts.stack.enter_context(a_server_of_another_time(-120))
    return set_in("REGISTRY_EVENTS_URL", url, Cause.CLOCK_WRONG)


@contextmanager
def a_server_of_another_time(seconds):
    """Takes events, and says in its Date that it is some seconds later, or earlier."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def date_time_string(self, timestamp=None):
            return formatdate((timestamp or time.time()) + seconds, usegmt=True)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://{LOOPBACK}:{server.server_port}/events"
    server.shutdown()
    server.server_close()
    thread.join()


# The database


@plant
def an_empty_database(parts):
    url = parts.cluster.url("application", parts.make_database())
    return set_in("REGISTRY_DATABASE_URL", url, Cause.SCHEMA_MISSING)


@plant
def a_database_of_an_older_version(parts):
    revision = f"{int(REVISION) - 1:04}"
    url = parts.cluster.url("application", parts.make_database(revision))
    return set_in("REGISTRY_DATABASE_URL", url, Cause.SCHEMA_OLD)


@plant
def a_right_on_a_table_that_is_denied(parts):
    url = parts.stack.enter_context(migrated_database(parts.cluster, "planted"))
    engine = create_engine(url.owner)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"REVOKE INSERT ON audit_entries FROM {APPLICATION_ROLE}")
    engine.dispose()
    return set_in("REGISTRY_DATABASE_URL", url.application, Cause.RIGHT_DENIED)


@plant
def a_role_that_may_do_anything(parts):
    database = parts.environment["REGISTRY_DATABASE_URL"].rpartition("/")[2]
    url = parts.cluster.url(SUPERUSER, database)
    return set_in("REGISTRY_DATABASE_WORKER_URL", url, Cause.ROLE_UNSAFE)


@plant
def a_role_that_is_not_there(parts):
    database = parts.environment["REGISTRY_DATABASE_URL"].rpartition("/")[2]
    url = parts.cluster.url("nobody", database)
    return set_in("REGISTRY_DATABASE_OWNER_URL", url, Cause.CREDENTIALS_REFUSED)


@plant
def a_database_that_is_not_there(parts):
    url = parts.cluster.url("owner", "elsewhere")
    return set_in("REGISTRY_DATABASE_OWNER_URL", url, Cause.NOT_THERE)


@plant
def a_pooler_that_nobody_spoke_of(parts):
    if shutil.which("pgbouncer") is None:
        pytest.skip("Debian's pgbouncer is not installed")
    database = parts.environment["REGISTRY_DATABASE_URL"].rpartition("/")[2]
    folder = parts.folder / "pgbouncer"
    folder.mkdir()
    folder.chmod(0o777)
    port = parts.stack.enter_context(a_pgbouncer(parts.cluster, folder, database))
    url = f"postgresql://application@{LOOPBACK}:{port}/{database}"
    changes = {"REGISTRY_DATABASE_URL": url}
    return Planted(changes, "REGISTRY_DATABASE_POOLER", Cause.POOLER_MET)


# The buckets


@plant
def a_secret_key_that_is_wrong(_parts):
    return set_in("REGISTRY_S3_SECRET_KEY", "wrong", Cause.CREDENTIALS_REFUSED)


@plant
def an_access_key_that_is_wrong(_parts):
    return set_in("REGISTRY_S3_ACCESS_KEY", "stranger", Cause.CREDENTIALS_REFUSED)


@plant
def a_bucket_that_is_not_there(_parts):
    return set_in("REGISTRY_S3_BUCKET", "no-such-bucket", Cause.NOT_THERE)


@plant
def a_bucket_of_seals_without_object_lock(parts):
    parts.objects.create_bucket("unlocked")
    return set_in("REGISTRY_AUDIT_BUCKET", "unlocked", Cause.NOT_FIT)


@plant
def a_right_on_a_bucket_that_is_denied(parts):
    parts.objects.create_bucket("denied")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:ListBucket"],
        "Resource": ["arn:aws:s3:::denied"],
    }
    client = parts.objects.client()
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_bucket_policy(Bucket="denied", Policy=policy)
    client.close()
    keys = "REGISTRY_S3_ACCESS_KEY"
    return Planted({"REGISTRY_S3_BUCKET": "denied"}, keys, Cause.RIGHT_DENIED)


@plant
def one_bucket_for_both(parts):
    return set_in("REGISTRY_AUDIT_BUCKET", parts.objects.bucket, Cause.SETTING_WRONG)


# What cannot be meant


@plant
def a_service_of_production_in_trials(_parts):
    url = "https://services.socialsecurity.be/REST/ebox/enterprise/federation/v1"
    return set_in("REGISTRY_FEDERATION_URL", url, Cause.SETTING_WRONG)


@plant
def a_service_of_trials_in_production(_parts):
    url = "https://services-acpt.socialsecurity.be/REST/ebox/enterprise/partition/v1"
    production = {"REGISTRY_ENVIRONMENT": "production"}
    return set_in("REGISTRY_PARTITION_URL", url, Cause.SETTING_WRONG, **production)


@plant
def http_in_production(parts):
    production = {"REGISTRY_ENVIRONMENT": "production"}
    url = parts.federation.events_url
    return set_in("REGISTRY_EVENTS_URL", url, Cause.SETTING_WRONG, **production)


@plant
def an_audience_of_production_in_trials(_parts):
    url = "https://services.socialsecurity.be/REST/oauth/v5/token"
    return set_in("REGISTRY_OAUTH_AUDIENCE", url, Cause.SETTING_WRONG)


@plant
def a_number_that_is_none(_parts):
    return set_in("REGISTRY_RATE_LIMIT", "many", Cause.SETTING_WRONG)


@plant
def a_table_that_is_none(_parts):
    return set_in("REGISTRY_SCOPES", "{read", Cause.SETTING_WRONG)


@plant
def a_secret_in_a_file_that_is_not_there(_parts):
    return set_in("REGISTRY_OAUTH_KEY_PASSWORD_FILE", "/no/such/file", Cause.SETTING_WRONG)


@plant
def a_key_of_seals_that_is_none(parts):
    path = parts.write("no-key.pem", b"no key")
    return set_in("REGISTRY_AUDIT_KEY_PATH", path, Cause.KEY_UNUSABLE)


@plant
def authorities_that_are_none(parts):
    path = parts.write("no-authority.pem", b"no certificate")
    return set_in("REGISTRY_EVENTS_CA_BUNDLE", path, Cause.SETTING_WRONG)


@plant
def a_setting_that_is_misspelt(_parts):
    return set_in("REGISTRY_S3_BUKET", "documents", Cause.SETTING_WRONG)


@plant
def a_public_address_of_another_service(parts):
    return set_in("REGISTRY_PUBLIC_URL", parts.objects.endpoint, Cause.ANOTHER_SERVICE)


# Certificates of ours


@plant
def our_certificate_has_expired(parts):
    path = parts.write("expired.pem", parts.ours.issue(OURS, days=(-400, -1)))
    production = {"REGISTRY_ENVIRONMENT": "production"}
    return set_in("REGISTRY_FEDERATION_CERTIFICATE", path, Cause.SETTING_WRONG, **production)


@plant
def our_certificate_is_valid_later(parts):
    path = parts.write("early.pem", parts.ours.issue(OURS, days=(1, 400)))
    acceptance = {"REGISTRY_ENVIRONMENT": "acceptation"}
    return set_in("REGISTRY_FEDERATION_CERTIFICATE", path, Cause.SETTING_WRONG, **acceptance)


@plant
def our_certificate_is_one_of_production(parts):
    path = parts.write("prd.pem", parts.ours.issue(OURS, "PRD", days=(-1, 400)))
    return set_in("REGISTRY_FEDERATION_CERTIFICATE", path, Cause.CERTIFICATE_UNFIT)


@plant
def our_certificate_is_one_of_trials(parts):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = parts.write("acc.pem", parts.ours.issue(OURS, "ACC", days=(-1, 400), key=key))
    production = {"REGISTRY_ENVIRONMENT": "production"}
    return set_in("REGISTRY_OAUTH_KEY_PATH", path, Cause.SETTING_WRONG, **production)


@plant
def our_key_is_of_another_certificate(parts):
    certificate = parts.ours.issue(OURS, days=(-1, 400))
    another = parts.ours.issue(OURS, days=(-1, 400))
    end = b"-----END CERTIFICATE-----\n"
    mixed = certificate.partition(end)[0] + end + another.partition(end)[2]
    path = parts.write("mixed.pem", mixed)
    return set_in("REGISTRY_FEDERATION_CERTIFICATE", path, Cause.SETTING_WRONG)


@plant
def our_certificate_is_another_enterprises(parts):
    """The one with which tokens are asked for; the client that is registered is of another."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = f"of-another-{uuid4().hex[:8]}"
    registration = {
        "key": public_jwk(key),
        "subject": client,
        "scopes": ["scope:security:authorization:oauth:oauth-autz-server:introspect"],
        "enterprise": "0206731645",
        "person": None,
    }
    add_client(parts.federation.directory, client, registration)
    path = parts.write(
        "another-enterprise.pem", parts.ours.issue(ANOTHERS, days=(-1, 400), key=key)
    )
    changes = {"REGISTRY_OAUTH_CLIENT_ID": client, "REGISTRY_OAUTH_KEY_PATH": path}
    return Planted(changes, "REGISTRY_OAUTH_KEY_PATH", Cause.CERTIFICATE_UNFIT)


def public_jwk(key):
    whole = RSAKey.import_key(write_key(key), {"alg": "RS256", "use": "sig"})
    return dict(whole.as_dict(private=False))
