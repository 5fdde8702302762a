"""Certificates in files that settings name: are they valid today, and of which environment?"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

_PKCS12: Final = (".p12", ".pfx")
# Where an environment is named; an organization or a town may be called what it likes.
_TELLING: Final = (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)


def find_certificate_faults(
    path: Path, password: bytes | None, is_foreign: Callable[[str], bool] | None
) -> Iterator[str]:
    """Find what is wrong with the certificates in a file, PEM or PKCS#12; a file of keys has none.

    `is_foreign` tells if a name, of subject or issuer, is of another environment. A file that is
    not here, or not for us to read, is judged by whoever uses it: not every command does.
    """
    try:
        certificates = _read_certificates(path, password)
    except OSError:
        return
    except ValueError:  # whose words could repeat what is secret
        yield f"{path} cannot be read: wrong password, or neither PEM nor PKCS#12"
        return
    now = datetime.now(UTC)
    for certificate in certificates:
        if now > certificate.not_valid_after_utc:
            yield f"the certificate in {path} expired on {certificate.not_valid_after_utc:%F}"
        if now < certificate.not_valid_before_utc:
            yield f"the certificate in {path} begins on {certificate.not_valid_before_utc:%F}"
        if is_foreign and any(map(is_foreign, _list_names(certificate))):
            yield f"the certificate in {path} is not one of production"


def find_end(path: Path, password: bytes | None) -> datetime | None:
    """Find when the certificate in a file ends; None for a file of keys.

    Raises `OSError` for one that is not for us to read, `ValueError` for one that nobody can.
    """
    return next((each.not_valid_after_utc for each in _read_certificates(path, password)), None)


def _read_certificates(path: Path, password: bytes | None) -> list[x509.Certificate]:
    content = path.read_bytes()
    if path.suffix.lower() in _PKCS12:
        _, certificate, _ = pkcs12.load_key_and_certificates(content, password)
        return [certificate] if certificate else []
    if b"BEGIN CERTIFICATE" not in content:
        return []
    return x509.load_pem_x509_certificates(content)[:1]  # of ourselves; issuers follow


def _list_names(certificate: x509.Certificate) -> Iterator[str]:
    for party in (certificate.subject, certificate.issuer):
        for kind in _TELLING:
            yield from (str(attribute.value) for attribute in party.get_attributes_for_oid(kind))
