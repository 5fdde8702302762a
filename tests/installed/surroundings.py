"""What an operations team finds before it installs: a database, a store, the federation."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from joserfc.jwk import RSAKey
from psycopg import sql
from werkzeug.serving import make_server

from registry.sandbox.federation.addresses import (
    EVENTS,
    FEDERATION,
    INTROSPECT_SCOPE,
    OAUTH,
    PARTITION,
    PREFERENCE_SCOPE,
)
from registry.sandbox.federation.clients import add_client
from registry.sandbox.federation.server import create_app
from registry.sandbox.files import write_private
from registry.sandbox.personas import BAKERY, PERSONAS, SENDER, enroll
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.sandbox.servers.processes import LOOPBACK, free_ports
from registry.sandbox.servers.seaweed import ObjectStore
from tests.certificates import Authority, write_key
from tests.factories import PDF
from tests.nginx import FOLDER
from tests.tls import tls_before

DOCUMENT = PDF * 20_000  # so large that nginx hands it out
CLIENT = "provider-registry"
PROVIDER = "0308357159"  # of the example of reference data
PASSWORD = "a superuser's: \\ and colon"


class StrictCluster(Cluster):
    """A PostgreSQL as administrators have it: one superuser, passwords, and nothing of ours."""

    def provision(self, database="postgres"):
        with psycopg.connect(self.url(SUPERUSER, database), autocommit=True) as connection:
            role = sql.SQL("ALTER ROLE postgres PASSWORD {}").format(sql.Literal(PASSWORD))
            connection.execute(role)
            (rules,) = connection.execute("SHOW hba_file").fetchone()
            Path(rules).write_text(f"host all all {LOOPBACK}/32 scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")


class Surroundings:
    """All of it in `area`, on loopback, and behind TLS of an authority of its own."""

    def __init__(self, area, folder):
        self.area, self.folder = area, folder
        self.authority = Authority()
        self.stack = ExitStack()
        self.home = area / "home"
        self.bundle = area / "authority.pem"
        self.front, self.reading, self.publishing, self.federal = free_ports(4)
        self.federation = f"https://{LOOPBACK}:{self.federal}"
        self.cluster = StrictCluster(area / "postgres")
        self.objects = ObjectStore(area / "objects")
        self.s3_port = 0

    def __enter__(self):
        with ExitStack() as stack:
            self.home.mkdir(parents=True)
            self.bundle.write_bytes(self.authority.pem)
            (self.area / "server.pem").write_bytes(self.authority.issue())
            stack.enter_context(self.cluster)
            stack.enter_context(self.objects)
            port = urlsplit(self.objects.endpoint).port
            self.s3_port = stack.enter_context(tls_before(port, self.area / "server.pem"))
            stack.enter_context(serve_federation(self.area, self.federal))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    @property
    def public_url(self):
        return f"https://localhost:{self.front}"

    def prepare(self):
        """Write the files that the page says to have ready."""
        self._write_credentials()
        self._write_nginx()
        (self.folder / "letter.pdf").write_bytes(DOCUMENT)
        write_private(self.folder / "portal-token", self._sign_in())
        settings = {**self.list_settings(), **self.list_stand_ins()}
        lines = [f"{name}={text}\n" for name, text in settings.items()]
        (self.folder / "site.env").write_text("".join(lines))
        password = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
        write_private(self.home / ".pgpass", f"{LOOPBACK}:*:*:{SUPERUSER}:{password}\n")

    def list_settings(self):
        """List what the example of site.env on the page has, as it is here."""
        return {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self.cluster.port),
            "PGUSER": SUPERUSER,
            "READING": f"{LOOPBACK}:{self.reading}",
            "PUBLISHING": f"{LOOPBACK}:{self.publishing}",
            "READER": BAKERY.digits,
            "REGISTRY_PUBLIC_URL": self.public_url,
            "REGISTRY_S3_ENDPOINT": f"https://localhost:{self.s3_port}",
            "REGISTRY_S3_ACCESS_KEY": self.objects.access_key,
            "REGISTRY_OAUTH_CLIENT_ID": CLIENT,
            "REGISTRY_ACCEL": "true",
        }

    def list_stand_ins(self):
        """What is not the federation's own here, and the authority that all certificates are of."""
        return {
            "REGISTRY_S3_CA_BUNDLE": self.bundle,
            "REGISTRY_OAUTH_CA_BUNDLE": self.bundle,
            "REGISTRY_OAUTH_TOKEN_URL": f"{self.federation}{OAUTH}/token",
            "REGISTRY_OAUTH_INTROSPECT_URL": f"{self.federation}{OAUTH}/introspect",
            "REGISTRY_PARTITION_URL": f"{self.federation}{PARTITION}",
            "REGISTRY_FEDERATION_URL": f"{self.federation}{FEDERATION}",
            "REGISTRY_EVENTS_URL": f"{self.federation}{EVENTS}",
            "REQUESTS_CA_BUNDLE": self.bundle,
            "CURL_CA_BUNDLE": self.bundle,
            "no_proxy": "localhost,127.0.0.1",
        }

    def _write_credentials(self):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        unit = "urn:be:fgov:kbo-bce:organization:cbe-number:0308357159"
        certificate = x509.load_pem_x509_certificate(self.authority.issue(unit, key=key))
        public = RSAKey.import_key(write_key(key), {"alg": "RS256", "use": "sig"})
        registration = {
            "key": dict(public.as_dict(private=False)),
            "subject": CLIENT,
            "scopes": [INTROSPECT_SCOPE, PREFERENCE_SCOPE, SENDER],
            "enterprise": PROVIDER,
        }
        add_client(self.area, CLIENT, registration)
        content = pkcs12.serialize_key_and_certificates(
            b"ours", key, certificate, None, BestAvailableEncryption(b"secret")
        )
        credentials = self.folder / "credentials"
        credentials.mkdir(mode=0o700)
        (credentials / "oauth.p12").write_bytes(content)
        write_private(credentials / "oauth-password", "secret\n")
        write_private(credentials / "s3-secret-key", f"{self.objects.secret_key}\n")

    def _write_nginx(self):
        """Write the two files of the site after their examples."""
        changes = {
            "127.0.0.1:8080": f"{LOOPBACK}:{self.reading}",
            "127.0.0.1:8081": f"{LOOPBACK}:{self.publishing}",
            "s3.provider.example:443": f"localhost:{self.s3_port}",
            "s3.provider.example": f"localhost:{self.s3_port}",
            "/etc/ssl/certs/ca-certificates.crt": str(self.bundle),
            "listen 443 ssl http2;": f"listen {LOOPBACK}:{self.front} ssl http2;",
            "listen [::]:443 ssl http2;\n": "",
            "ebox.provider.example;": "localhost;",
            "/etc/ssl/ebox.provider.example.pem": str(self.area / "server.pem"),
            "/etc/ssl/private/ebox.provider.example.key": str(self.area / "server.pem"),
        }
        folder = self.folder / "nginx"
        folder.mkdir()
        for name in ("site-http.conf", "site-server.conf"):
            text = (FOLDER / f"{name}.example").read_text()
            for example, ours in changes.items():
                text = text.replace(example, ours)
            (folder / name).write_text(text)

    def _sign_in(self):
        """A token of the portal's for a person who reads the bakery's e-Box."""
        persona = PERSONAS["portal-user"]
        return subprocess.run(
            [
                *(sys.executable, "-m", "registry", "token", "--ca-bundle", self.bundle),
                *("--token-url", f"{self.federation}{OAUTH}/token"),
                *("--client-id", persona.client_id, "--algorithm", persona.algorithm),
                *("--key", self.area / "keys" / f"{persona.name}.pem"),
            ],
            env={"no_proxy": LOOPBACK},
            check=True,
            capture_output=True,
            text=True,
        ).stdout


@contextmanager
def serve_federation(area, port):
    """Serve the stand-ins with TLS, by the certificate that lies in `area`."""
    enroll(area / "keys", area)
    app = create_app(area, f"https://{LOOPBACK}:{port}")
    certificate = str(area / "server.pem")
    server = make_server(LOOPBACK, port, app, threaded=True, ssl_context=(certificate, certificate))
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()
