"""Breaks that the seals of the database tell of, by which lost entries are known."""

from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, text

from registry.audit.trail import keys
from registry.audit.trail.breaks import Break
from registry.audit.trail.seal import parse_seal, verify_signature
from registry.audit.trail.untrusted_json import DamagedText


def read_breaks(connection: Connection, public_keys: Iterable[Ed25519PublicKey]) -> Sequence[Break]:
    """Read the breaks that one of these keys has signed; any other excuses nothing."""
    keyring = keys.make_keyring(public_keys)
    rows = connection.execute(_READ_BREAKS)
    breaks = (_parse(keyring, seal, signature) for seal, signature in rows)
    return [known_break for known_break in breaks if known_break]


def _parse(keyring: keys.Keys, seal: str, signature: str) -> Break | None:
    try:
        verify_signature(keyring, seal, signature)
        return parse_seal(seal).known_break
    except (DamagedText, keys.UnknownKey, keys.BadSignature):
        return None


# In the one form of a head the break follows the digest of the body, at the same place always.
_READ_BREAKS: Final = text("""
SELECT seal, signature FROM audit_seals WHERE substr(seal, 76, 8) = '"break":' ORDER BY seal_number
""")
