"""The keys that sign seals and exports: Ed25519 (RFC 8032)."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

Keys = Mapping[str, Ed25519PublicKey]  # by key id


class NoKey(ValueError):
    """The bytes are not a key of the kind that is expected."""


class UnknownKey(ValueError):
    """The key that a text names is not among the known ones."""


class BadSignature(ValueError):
    """The signature is not that of the named key over this text."""


def compute_key_id(public_key: Ed25519PublicKey) -> str:
    """Compute the name of a key: the first sixteen hexadecimal digits of its fingerprint."""
    return compute_fingerprint(public_key)[:16]


def compute_fingerprint(public_key: Ed25519PublicKey) -> str:
    """Hash the raw public key (SHA-256, hexadecimal), to compare over another channel."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()


def make_keyring(public_keys: Iterable[Ed25519PublicKey]) -> Keys:
    """Put public keys under their ids, by which a verifier looks for them."""
    return {compute_key_id(key): key for key in public_keys}


def parse_public_key(pem: bytes) -> Ed25519PublicKey:
    """Parse a public key in PEM; raise `NoKey`."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NoKey("This is not a public key in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise NoKey("This public key is not for Ed25519.")
    return key


def parse_private_key(pem: bytes, password: bytes | None = None) -> Ed25519PrivateKey:
    """Parse a private key in PEM (PKCS #8); raise `NoKey`, without a word of its content."""
    try:
        key = load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoKey("This is not a private key in PEM, or not with this password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey("This private key is not for Ed25519.")
    return key


def sign(private_key: Ed25519PrivateKey, text: str) -> str:
    """Sign the text in UTF-8; the signature in base64."""
    return base64.b64encode(private_key.sign(text.encode())).decode()


def verify(keys: Keys, signer: str, text: str, signature: str) -> None:
    """Raise `UnknownKey` or `BadSignature` unless the key `signer` has signed the text."""
    key = keys.get(signer)
    if key is None:
        raise UnknownKey(f"The key {signer} is not known.")
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadSignature(f"The signature is not that of the key {signer}.") from error
