"""Debian's nginx with deploy/nginx in front of the registry, for those tests that find it."""

import os
import shutil
import signal
import socket
import ssl
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from registry.sandbox.servers.processes import LOOPBACK, Process, free_port
from tests.certificates import make_pem

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
{plain}
ssl_certificate {folder}/server.pem;
ssl_certificate_key {folder}/server.pem;
"""


@contextmanager
def run_nginx(  # noqa: PLR0913 - each by name
    folder, *, reading, publishing, s3_endpoint, trusts=True, burst=None, plain_port=None
):
    """Start nginx on these ports of the registry's lanes; gives its own, which speaks TLS.

    On `plain_port` it speaks HTTP without TLS too, for comparisons. With a `burst`, so many
    requests of an address pass at once, and one a second after them.
    """
    port = free_port()
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    (folder / "server.pem").write_bytes(make_pem())
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
        "plain": f"listen {LOOPBACK}:{plain_port};" if plain_port else "",
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
