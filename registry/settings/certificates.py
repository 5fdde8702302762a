"""Certificates in files that settings name: are they valid today, and of which environment?"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

_PKCS12 = (".p12", ".pfx")


def find_certificate_faults(
    path: Path, password: bytes | None, trial_words: re.Pattern[str] | None
) -> Iterator[str]:
    """Find what is wrong with the certificates in a file, PEM or PKCS#12; a file of keys has none.

    `trial_words` are those that names of subject and issuer must not have. A file that is not here,
    or not for us to read, is judged by whoever uses it: not every command does.
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
        names = f"{certificate.subject.rfc4514_string()} {certificate.issuer.rfc4514_string()}"
        if now > certificate.not_valid_after_utc:
            yield f"the certificate in {path} expired on {certificate.not_valid_after_utc:%F}"
        if now < certificate.not_valid_before_utc:
            yield f"the certificate in {path} begins on {certificate.not_valid_before_utc:%F}"
        if trial_words and trial_words.search(names):
            yield f"the certificate in {path} is not one of production"


def _read_certificates(path: Path, password: bytes | None) -> list[x509.Certificate]:
    content = path.read_bytes()
    if path.suffix.lower() in _PKCS12:
        _, certificate, _ = pkcs12.load_key_and_certificates(content, password)
        return [certificate] if certificate else []
    if b"BEGIN CERTIFICATE" not in content:
        return []
    return x509.load_pem_x509_certificates(content)[:1]  # of ourselves; issuers follow
