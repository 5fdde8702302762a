"""The private key that proves who we are, out of a PEM or PKCS#12 file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from joserfc.jwk import ECKey, RSAKey

from registry.domain.errors import KeyUnusable

Key = RSAKey | ECKey

_CURVES: Final = {"ES384": "secp384r1", "ES512": "secp521r1"}


def load_key(path: Path, password: str | None = None, *, algorithm: str = "RS256") -> Key:
    """Read the private key: PKCS#12 when the name ends in .p12 or .pfx, otherwise PEM.

    Raises `KeyUnusable`: unreadable file, missing, needless or wrong password, or a key that does
    not fit the algorithm, which is RS256, ES384 or ES512 (contract 6.25).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyUnusable(path, (error.strerror or "it is unreadable").lower()) from None
    load = _from_pkcs12 if path.suffix.lower() in (".p12", ".pfx") else load_pem_private_key
    return _require_fit(path, _load(path, load, content, password), algorithm)


def _load(path: Path, load: Callable[..., Any], content: bytes, password: str | None) -> Any:
    secret = None if password is None else password.encode()
    try:
        return load(content, secret)
    except TypeError:  # how cryptography tells these two
        needs = "it needs a password" if secret is None else "it has no password"
        raise KeyUnusable(path, needs) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(path, "wrong password, or not a private key") from None


def _from_pkcs12(content: bytes, secret: bytes | None) -> Any:
    return load_key_and_certificates(content, secret)[0]


def _require_fit(path: Path, key: Any, algorithm: str) -> Key:
    if algorithm == "RS256" and isinstance(key, RSAPrivateKey):
        if key.key_size < 2048:
            raise KeyUnusable(path, "RS256 needs an RSA key of at least 2048 bits")
        return RSAKey.import_key(key)
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == _CURVES.get(algorithm):
        return ECKey.import_key(key)
    raise KeyUnusable(path, f"it is not a key for {algorithm}")
