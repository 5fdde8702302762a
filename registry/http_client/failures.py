"""Failures of calls, told apart by what lies at their bottom, whichever library raised them."""

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import urllib3.exceptions

from registry.domain.diagnoses import Cause


@dataclass(frozen=True, slots=True)
class Failure:
    """The cause of a failure, and what there is to say of it beyond that."""

    cause: Cause
    words: str = ""


# Numbers of OpenSSL's X509_V_ERR_….
_VERIFICATIONS: Final = {
    9: Cause.CERTIFICATE_EARLY,
    10: Cause.CERTIFICATE_EXPIRED,
    62: Cause.CERTIFICATE_OF_ANOTHER,
    64: Cause.CERTIFICATE_OF_ANOTHER,
}
# Parts of the names that OpenSSL gives to what the other side says of our certificate.
_REFUSALS: Final = (
    "ALERT_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_HANDSHAKE",
)
_NO_TLS: Final = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "UNKNOWN_PROTOCOL",
)
_NUMBERS: Final = {
    errno.ECONNREFUSED: Cause.CONNECTION_REFUSED,
    errno.EHOSTUNREACH: Cause.UNREACHABLE,
    errno.ENETUNREACH: Cause.UNREACHABLE,
    errno.EADDRNOTAVAIL: Cause.UNREACHABLE,
    errno.ETIMEDOUT: Cause.TIME_OUT,
    errno.ECONNRESET: Cause.CONNECTION_CUT,
    errno.EPIPE: Cause.CONNECTION_CUT,
}
_TYPES: Final[tuple[tuple[tuple[type[BaseException], ...], Cause], ...]] = (
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), Cause.NAME_NOT_RESOLVED),
    ((TimeoutError, urllib3.exceptions.TimeoutError), Cause.TIME_OUT),
    ((ConnectionError, EOFError, http.client.HTTPException), Cause.CONNECTION_CUT),
    ((urllib3.exceptions.ProtocolError,), Cause.CONNECTION_CUT),
)


def explain_failure(error: BaseException) -> Failure:
    """Find what lies at the bottom of an error: its cause, its context, or what it carries.

    TLS is looked for first: libraries take its errors for failures to connect.
    """
    chain = list(_follow(error))
    for each in chain:
        if isinstance(each, ssl.SSLError):
            return _explain_tls(each)
    if any(isinstance(each, urllib3.exceptions.ProxyError) for each in chain):
        return Failure(Cause.PROXY_IN_THE_WAY)
    for each in chain:
        if isinstance(each, OSError) and (cause := _NUMBERS.get(each.errno or 0)):
            return Failure(cause)
    for types, cause in _TYPES:
        if any(isinstance(each, types) for each in chain):
            return Failure(cause)
    return Failure(Cause.CALL_FAILED, type(error).__name__)


def _explain_tls(error: ssl.SSLError) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = _VERIFICATIONS.get(error.verify_code, Cause.CERTIFICATE_UNKNOWN)
        return Failure(cause, error.verify_message)
    reason = error.reason or ""
    if any(part in reason for part in _REFUSALS):
        return Failure(Cause.OUR_CERTIFICATE_REFUSED, reason)
    if any(part in reason for part in _NO_TLS):
        return Failure(Cause.TLS_MISSING, reason)
    if isinstance(error, TimeoutError):
        return Failure(Cause.TIME_OUT)
    return Failure(Cause.CONNECTION_CUT, reason)


def _follow(error: BaseException) -> Iterator[BaseException]:
    """Follow an error to all that it came of, which each library hides elsewhere."""
    pending, ids = [error], set[int]()
    while pending:
        each = pending.pop(0)
        if id(each) in ids:
            continue
        ids.add(id(each))
        yield each
        origins = [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
        details = getattr(each, "kwargs", None)
        if isinstance(details, dict):
            origins.append(details.get("error"))
        pending += [origin for origin in origins if isinstance(origin, BaseException)]
