"""Certificates of ours: whose they are, of which environment, and whether their key is theirs."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID

_PKCS12: Final = (".p12", ".pfx")
# OU of a certificate of the federation (contract 3.1).
_NUMBER: Final = re.compile(r"urn:be:fgov:kbo-bce:organization:cbe-number:([0-9]{9,10})")
SOON: Final = timedelta(days=30)


class OwnCertificate(NamedTuple):
    """Facts of a certificate of ours: enterprise number, environments, and its last moment.

    `fits_key` is None where there is no key beside it.
    """

    number: str | None
    units: frozenset[str]
    ends_at: datetime
    fingerprint: str
    fits_key: bool | None

    @property
    def ends_soon(self) -> bool:
        """Tell if it is still valid, and not for long."""
        now = datetime.now(UTC)
        return now < self.ends_at < now + SOON


def read_own_certificate(path: Path | None, password: bytes | None) -> OwnCertificate | None:
    """Read the first certificate of a file, PEM or PKCS#12; None where there is none to read."""
    if path is None:
        return None
    try:
        content = path.read_bytes()
        if path.suffix.lower() in _PKCS12:
            key, certificate, _ = pkcs12.load_key_and_certificates(content, password)
        elif b"BEGIN CERTIFICATE" in content:
            certificate = x509.load_pem_x509_certificates(content)[0]
            key = load_pem_private_key(content, password) if b"PRIVATE KEY" in content else None
        else:
            return None
    except (OSError, ValueError, TypeError):  # who uses the file says what is wrong with it
        return None
    return _describe(certificate, key) if certificate else None


def _describe(certificate: x509.Certificate, key: object) -> OwnCertificate:
    units = frozenset(
        str(attribute.value)
        for attribute in certificate.subject.get_attributes_for_oid(
            NameOID.ORGANIZATIONAL_UNIT_NAME
        )
    )
    numbers = [match[1] for unit in units if (match := _NUMBER.fullmatch(unit))]
    public_key = getattr(key, "public_key", None)
    return OwnCertificate(
        number=numbers[0].zfill(10) if numbers else None,
        units=units,
        ends_at=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        fits_key=certificate.public_key() == public_key() if public_key else None,
    )
