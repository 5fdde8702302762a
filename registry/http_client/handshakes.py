"""TLS by itself: a handshake after which we say nothing, so that a refusal can be heard."""

import socket
import ssl
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from registry.domain.diagnoses import Cause
from registry.http_client.failures import Failure, explain_failure


def hear_refusal(
    url: str, timeout: float, ca_bundle: Path | None, certificate: Path | None
) -> Failure:
    """Find out whether a server that cut a call did so because of our certificate, or of none.

    In TLS 1.3 it says so after the handshake, and its word is lost when it finds a request there.
    `timeout` in seconds is for connecting, and for each answer.
    """
    parts = urlsplit(url)
    context = ssl.create_default_context()
    if ca_bundle:
        context.load_verify_locations(*_place(ca_bundle))
    if certificate:
        context.load_cert_chain(certificate)
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout) as plain,
            closing(context.wrap_socket(plain, server_hostname=parts.hostname)) as secure,
        ):
            secure.recv(1)
    except OSError as error:
        failure = explain_failure(error)
        if failure.cause is Cause.OUR_CERTIFICATE_REFUSED:
            return failure
    return Failure(Cause.CONNECTION_CUT)


def _place(bundle: Path) -> tuple[str | None, str | None]:
    """Give file and folder of a bundle, of which it is one."""
    return (None, str(bundle)) if bundle.is_dir() else (str(bundle), None)
