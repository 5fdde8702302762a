"""Debian's nginx with deploy/nginx in front of the registry, for those tests that find it."""

import ipaddress
import os
import shutil
import signal
import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from registry.sandbox.servers.processes import LOOPBACK, Process, free_port

FOLDER = Path(__file__).parents[1] / "deploy" / "nginx"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

_SITE = """
upstream registry_reading {{ {reading} keepalive 64; }}
upstream registry_publishing {{ {publishing} keepalive 16; }}
upstream documents {{ server {documents}; keepalive 64; }}
map "" $documents {{ default "http://documents"; }}
map "" $documents_host {{ default "{documents}"; }}
geo $is_trusted {{ default {trusts}; }}
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
"""
_SERVER = """
listen {loopback}:{port} ssl;
ssl_certificate {folder}/certificate.pem;
ssl_certificate_key {folder}/key.pem;
"""


@contextmanager
def run_nginx(folder, *, reading, publishing, s3_endpoint, trusts=True, burst=None):
    """Start nginx on these ports of the registry's lanes; gives its own, which speaks TLS.

    With a `burst`, so many requests of an address pass at once, and one a second after them.
    """
    port = free_port()
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    _write_certificate(folder)
    if burst is not None:
        conf = folder / "nginx.conf"
        limits = conf.read_text().replace("rate=100r/s", "rate=1r/s")
        conf.write_text(limits.replace("burst=400", f"burst={burst}"))
    values = {
        "reading": _list_servers(reading),
        "publishing": _list_servers(publishing),
        "documents": urlsplit(s3_endpoint).netloc,
        "trusts": int(trusts),
        "folder": folder,
        "port": port,
        "loopback": LOOPBACK,
    }
    (folder / "site-http.conf").write_text(_SITE.format(**values))
    (folder / "site-server.conf").write_text(_SERVER.format(**values))
    main = f"daemon off; pid {folder}/pid; error_log {folder}/error.log;"
    main += " user root;" if os.geteuid() == 0 else ""
    process = Process("nginx", folder / "log", signal.SIGTERM)
    process.start([NGINX, "-p", f"{folder}/", "-c", "nginx.conf", "-g", main], env={})
    try:
        process.wait_until(lambda: _listens(port), timeout=30)
        yield port
    finally:
        process.stop()


def make_context():
    """Make what speaks TLS with nginx, whose certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


_CONTEXT = make_context()


def connect_to(port):
    """Open a connection to nginx."""
    return _CONTEXT.wrap_socket(socket.create_connection((LOOPBACK, port), timeout=60))


def _list_servers(ports):
    return " ".join(f"server {LOOPBACK}:{port} max_fails=1 fail_timeout=2s;" for port in ports)


def _listens(port):
    try:
        connect_to(port).close()
    except OSError:
        return False
    return True


def _write_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
