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


def key_id(public_key: Ed25519PublicKey) -> str:
    """The first sixteen hexadecimal digits of the SHA-256 of the raw public key."""
    return fingerprint(public_key)[:16]


def fingerprint(public_key: Ed25519PublicKey) -> str:
    """The SHA-256 of the raw public key in hexadecimal, to compare over another channel."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()


def keyring(public_keys: Iterable[Ed25519PublicKey]) -> Keys:
    """Public keys by their id, as whoever verifies looks for them."""
    return {key_id(key): key for key in public_keys}


def read_public(pem: bytes) -> Ed25519PublicKey:
    """A public key from PEM; raises `NoKey`."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NoKey("This is not a public key in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise NoKey("This public key is not for Ed25519.")
    return key


def read_private(pem: bytes, password: bytes | None = None) -> Ed25519PrivateKey:
    """A private key from PEM (PKCS #8); raises `NoKey`, without a word of what was in it."""
    try:
        key = load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoKey("This is not a private key in PEM, or not with this password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey("This private key is not for Ed25519.")
    return key


def sign(private_key: Ed25519PrivateKey, text: str) -> str:
    """The signature over the text in UTF-8, in base64."""
    return base64.b64encode(private_key.sign(text.encode())).decode()


def verify(keys: Keys, signer: str, text: str, signature: str) -> None:
    """Raises `UnknownKey` or `BadSignature` unless the key `signer` has signed the text."""
    key = keys.get(signer)
    if key is None:
        raise UnknownKey(f"The key {signer} is not known.")
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadSignature(f"The signature is not that of the key {signer}.") from error
