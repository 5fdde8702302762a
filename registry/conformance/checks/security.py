"""TLS and the headers that keep browsers from mischief."""

import re
import socket
import ssl
import warnings
from typing import Final
from urllib.parse import urlsplit

from registry.conformance.requirement import Obligation, Untestable, expect, requires
from registry.conformance.workbench import LIST, Workbench

_MAX_AGE: Final = re.compile(r"max-age=(\d{1,9})", re.ASCII)
_VERSION_NUMBER: Final = re.compile(r"\d\.\d", re.ASCII)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OLD: Final = ((ssl.TLSVersion.TLSv1, "1.0"), (ssl.TLSVersion.TLSv1_1, "1.1"))


def _require_tls(bench: Workbench) -> None:
    if not bench.target.is_secure:
        raise Untestable("The base URL is plain http.")


@requires(
    "tls-used",
    source="RFC 6750 section 5.3: bearer tokens travel by TLS alone",
    mend="Serve by https, and nothing of the interface by http.",
    roles=(),
)
def serve_by_tls(bench: Workbench) -> None:
    """The interface is served by https."""
    if urlsplit(bench.target.base).hostname in _LOCAL:
        raise Untestable("The registry is on this computer, where nobody listens in between.")
    expect(bench.target.is_secure, "The base URL is plain http: tokens can be read on their way.")


@requires(
    "tls-old-versions",
    source="RFC 8996: TLS 1.0 and 1.1 are not used any more",
    mend="Offer TLS 1.2 and 1.3 alone.",
    roles=(),
    obligation=Obligation.SHOULD,
)
def refuse_old_tls(bench: Workbench) -> None:
    """TLS 1.0 and 1.1 are refused."""
    _require_tls(bench)
    address = urlsplit(bench.target.base)
    for version, name in _OLD:
        is_taken = _shake_hands(address.hostname or "", address.port or 443, version, bench)
        expect(not is_taken, f"TLS {name} is taken.")


def _shake_hands(host: str, port: int, version: ssl.TLSVersion, bench: Workbench) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent: it is the version that is asked for
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with (
            socket.create_connection((host, port), bench.browser.patience) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except OSError:
        return False


@requires(
    "tls-remembered",
    source="RFC 6797: HTTP Strict Transport Security",
    mend="Send Strict-Transport-Security with a max-age of half a year or more.",
    obligation=Obligation.SHOULD,
)
def have_tls_remembered(bench: Workbench) -> None:
    """Browsers are told to come by https alone."""
    _require_tls(bench)
    text = bench.list_messages(pageSize=1).exchange.header("Strict-Transport-Security")
    age = _MAX_AGE.search(text)
    expect(
        age and int(age[1]) >= 15_000_000, "There is no Strict-Transport-Security of half a year."
    )


@requires(
    "security-trace",
    source="RFC 9110 section 9.3.8; OWASP: TRACE gives tokens back",
    mend="Refuse TRACE.",
    roles=(),
)
def refuse_trace(bench: Workbench) -> None:
    """TRACE, which would give a token back, is refused."""
    answer = bench.ask("TRACE", LIST, role=None, headers={"X-Conformance": "echoed"})
    expect(b"echoed" not in answer.body, "TRACE gives the headers of the request back.")
    expect(answer.status >= 400, f"TRACE is answered with {answer.status}.")


@requires(
    "security-server",
    source="OWASP ASVS 14.3.3: headers tell no versions",
    mend="Leave the version out of Server, and X-Powered-By away.",
    obligation=Obligation.MAY,
)
def keep_versions_quiet(bench: Workbench) -> None:
    """Headers do not tell which version of a program answers."""
    answer = bench.list_messages(pageSize=1).exchange
    for name in ("Server", "X-Powered-By", "X-AspNet-Version"):
        version = _VERSION_NUMBER.search(answer.header(name))
        expect(not version, f"The header {name} tells a version.")


@requires(
    "security-cookies",
    source="contract 1.4: tokens alone; CSRF has nothing to hold on to",
    mend="Set no cookies: a bearer token is all there is.",
    obligation=Obligation.SHOULD,
)
def set_no_cookies(bench: Workbench) -> None:
    """No cookie is set."""
    answer = bench.list_messages(pageSize=1).exchange
    expect(not answer.header("Set-Cookie"), "A cookie is set.")


@requires(
    "health-open",
    source="BRG hlth-res: GET /health is 200 with UP, open to any client",
    mend="Serve /health without a token.",
    obligation=Obligation.SHOULD,
    roles=(),
)
def tell_health(bench: Workbench) -> None:
    """Anybody may ask whether the registry is well."""
    status = bench.get("/health", None).expect_status(200).members().get("status")
    expect(status in ("UP", "DEGRADED"), "The health is neither UP nor DEGRADED.")
