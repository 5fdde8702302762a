"""Files with certificates and their key, PEM or PKCS#12."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

PKCS12_SUFFIXES: Final = (".p12", ".pfx")
_PEM: Final = b"-----BEGIN "
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_ENCRYPTION: Final = (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")
_KEY_ENDS: Final = b"PRIVATE KEY-----"


class CertificateUnreadable(ValueError):
    """A file cannot be read; the text names it, and repeats nothing of it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}.")


class PassphraseMissing(CertificateUnreadable):
    """A file cannot be read without its passphrase, or not with this one."""


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """Contents of a file: certificates in its order, our own first, and the key, if it is there.

    `has_order` is false for PKCS#12, which tells which one is ours and has no order of the others.
    """

    certificates: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes | None
    has_order: bool

    @property
    def own(self) -> x509.Certificate | None:
        """Our own certificate; None in a file that has a key alone."""
        return self.certificates[0] if self.certificates else None


def read_certificate_file(path: Path, passphrase: bytes | None = None) -> CertificateFile:
    """Read a file of either kind, whatever its name; a key alone is one, too.

    Raises `CertificateUnreadable`, and of that `PassphraseMissing` when the passphrase is missing
    or wrong.
    """
    content = _read(path)
    try:
        if _PEM in content:
            return _read_pem(content, passphrase)
        return _read_pkcs12(content, passphrase)
    except TypeError:  # how cryptography says that a passphrase is missing, or not needed
        reason = "it has no passphrase" if passphrase else "it needs a passphrase"
        raise PassphraseMissing(path, reason) from None
    except (ValueError, UnsupportedAlgorithm):
        if _is_der(content):
            raise CertificateUnreadable(path, "it is DER: write it as PEM") from None
        if is_encrypted(content):
            reason = "it needs a passphrase" if passphrase is None else "the passphrase is wrong"
            raise PassphraseMissing(path, reason) from None
        raise CertificateUnreadable(path, "it is neither PEM nor PKCS#12") from None


def is_encrypted(content: bytes) -> bool:
    """Tell if a passphrase is needed, or may be: of PKCS#12 that shows only when it is opened."""
    if _PEM in content:
        return any(mark in content for mark in _ENCRYPTION)
    return content[:1] == b"\x30"  # a sequence of ASN.1, as PKCS#12 begins


def _is_der(content: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(content)
    except ValueError:
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateUnreadable(path, (error.strerror or "it fails").lower()) from None


def _read_pem(content: bytes, passphrase: bytes | None) -> CertificateFile:
    certificates: tuple[x509.Certificate, ...] = ()
    if _CERTIFICATE in content:
        certificates = tuple(x509.load_pem_x509_certificates(content))
    key = load_pem_private_key(content, passphrase) if _KEY_ENDS in content else None
    return CertificateFile(certificates, key, has_order=True)


def _read_pkcs12(content: bytes, passphrase: bytes | None) -> CertificateFile:
    key, own, others = pkcs12.load_key_and_certificates(content, passphrase)
    certificates = ((own,) if own else ()) + tuple(others)
    return CertificateFile(certificates, key, has_order=False)
