"""A key, and the request with which a certificate for it is asked for (PKCS#10)."""

from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from registry.certificates.subject import CertificateSubject

# What the federation takes (contract 6.25), the usual one first.
KeyKind = Literal["rsa-3072", "rsa-2048", "rsa-4096", "ec-p384", "ec-p521"]
KEY_KINDS: Final[tuple[KeyKind, ...]] = ("rsa-3072", "rsa-2048", "rsa-4096", "ec-p384", "ec-p521")
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_SIZES: Final[dict[KeyKind, int]] = {"rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096}
_CURVES: Final[dict[KeyKind, ec.EllipticCurve]] = {
    "ec-p384": ec.SECP384R1(),
    "ec-p521": ec.SECP521R1(),
}


def make_key(kind: KeyKind) -> PrivateKey:
    """Make a new key."""
    if kind in _SIZES:
        return rsa.generate_private_key(public_exponent=65537, key_size=_SIZES[kind])
    return ec.generate_private_key(_CURVES[kind])


def write_key(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """Write a key in PEM (PKCS#8), encrypted where there is a passphrase."""
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase:
        encryption = BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def write_request(key: PrivateKey, subject: CertificateSubject) -> bytes:
    """Write the request for a key in PEM, signed with it, for signatures alone.

    Raises `ValueError` for a part of the subject that is too long, or empty.
    """
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject.write())
        .add_extension(_sign_only(), critical=True)
        .sign(key, _choose_hash(key))
        .public_bytes(Encoding.PEM)
    )


def _sign_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _choose_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    """Choose the hash of SHA-2 that is as strong as the key."""
    if isinstance(key, rsa.RSAPrivateKey):
        return hashes.SHA256()
    return hashes.SHA384() if key.curve.key_size == 384 else hashes.SHA512()
