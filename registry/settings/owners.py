"""Certificates of ours that settings name: whose they are, of which environment, until when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes

from registry.certificates.file import CertificateFile, CertificateUnreadable, read_certificate_file
from registry.certificates.fitness import SOON
from registry.certificates.subject import find_number, list_units

_SOON: Final = timedelta(days=SOON)


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
        return now < self.ends_at < now + _SOON


def read_own_certificate(path: Path | None, password: bytes | None) -> OwnCertificate | None:
    """Read the first certificate of a file, PEM or PKCS#12; None where there is none to read."""
    if path is None:
        return None
    try:
        file = read_certificate_file(path, password)
    except CertificateUnreadable:  # who uses the file says what is wrong with it
        return None
    return _describe(file)


def _describe(file: CertificateFile) -> OwnCertificate | None:
    certificate = file.own
    if certificate is None:
        return None
    return OwnCertificate(
        number=find_number(certificate.subject),
        units=frozenset(list_units(certificate.subject)),
        ends_at=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        fits_key=certificate.public_key() == file.key.public_key() if file.key else None,
    )
