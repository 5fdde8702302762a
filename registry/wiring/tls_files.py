"""The files that TLS with the federation needs, looked at before the first call wants them."""

import ssl
from collections.abc import Iterator
from pathlib import Path

from registry.domain.errors import SettingsError
from registry.settings import Settings
from registry.settings.variables import PREFIX


def require_tls_files(settings: Settings) -> None:
    """Raise `SettingsError` for each file with certificates that no call could use."""
    if faults := list(_find_faults(settings)):
        raise SettingsError(faults)


def _find_faults(settings: Settings) -> Iterator[str]:
    bundle, certificate = settings.oauth_ca_bundle, settings.federation_certificate
    if bundle and (fault := _judge_bundle(bundle)):
        yield f"{PREFIX}OAUTH_CA_BUNDLE: {bundle} cannot be used: {fault}"
    seals = settings.audit_s3_ca_bundle
    if seals and (fault := _judge_bundle(seals)):
        yield f"{PREFIX}AUDIT_S3_CA_BUNDLE: {seals} cannot be used: {fault}"
    if certificate and (fault := _judge_certificate(certificate)):
        yield f"{PREFIX}FEDERATION_CERTIFICATE: {certificate} cannot be used: {fault}"


def _judge_bundle(path: Path) -> str | None:
    try:
        if path.is_dir():  # of certificates by their hashes
            return None
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "it has no certificates in PEM"
    except OSError as error:
        return (error.strerror or "it is unreadable").lower()
    return None


def _judge_certificate(path: Path) -> str | None:
    try:
        # With a password given, none is asked for on a terminal.
        ssl.create_default_context().load_cert_chain(path, password="")
    except ssl.SSLError:
        return "it has no certificate with its key in PEM, or the key has a password"
    except OSError as error:
        return (error.strerror or "it is unreadable").lower()
    return None
