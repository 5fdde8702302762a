"""The files that TLS with the federation needs, looked at before the first call wants them."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from registry.domain.errors import SettingsError
from registry.settings import Settings
from registry.settings.fault import SettingFault

_BUNDLE_REMEDY: Final = "Have there, in PEM, the certificates of the authorities that are trusted."
_CERTIFICATE_REMEDY: Final = "Have there, in PEM, our certificate and the key that it was made for."


_BUNDLES: Final = (
    *("oauth_ca_bundle", "partition_ca_bundle", "federation_ca_bundle", "events_ca_bundle"),
    *("s3_ca_bundle", "audit_s3_ca_bundle"),
)


def require_tls_files(settings: Settings) -> None:
    """Raise `SettingsError` for each file with certificates that no call could use."""
    if faults := [str(fault) for fault in find_tls_file_faults(settings)]:
        raise SettingsError(faults)


def find_tls_file_faults(settings: Settings) -> Iterator[SettingFault]:
    """Find the files with certificates that no call could use."""
    for field in _BUNDLES:
        bundle = getattr(settings, field)
        if bundle and (reason := _judge_bundle(bundle)):
            yield SettingFault(field, f"{bundle} cannot be used: {reason}", _BUNDLE_REMEDY)
    certificate = settings.federation_certificate
    if certificate and (reason := _judge_certificate(certificate)):
        text = f"{certificate} cannot be used: {reason}"
        yield SettingFault("federation_certificate", text, _CERTIFICATE_REMEDY)


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
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key in it is not that of the certificate"
        return "it has no certificate with its key in PEM, or the key has a password"
    except OSError as error:
        return (error.strerror or "it is unreadable").lower()
    return None
