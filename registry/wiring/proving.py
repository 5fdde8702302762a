"""Assembly of what proves the audit trail, with all keys that it ever knew."""

from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.federation.keys import KeyUnusable
from registry.services.proving import Proving
from registry.services.recording import Recording
from registry.settings import Settings
from registry.store.base import Transactions
from registry.wiring import signing
from registry.wiring.clock import now
from registry.wiring.storage import seal_store


def proving(settings: Settings, transactions: Transactions, recording: Recording) -> Proving:
    """Build it; raises `SettingsError` for what is not set, and `KeyUnusable`."""
    return Proving(
        transactions,
        seal_store(settings),
        signing.keyring(settings),
        signing.private_key(settings),
        recording,
        _former(settings),
        now,
    )


def _former(settings: Settings) -> tuple[Pseudonyms, ...]:
    """The keys that the hash key was before: the lines of a file."""
    path = settings.audit_former_hash_keys
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(Pseudonyms(line.strip()) for line in lines if line.strip())
    except OSError as error:
        raise KeyUnusable(path, (error.strerror or "it is unreadable").lower()) from None
    except UnicodeDecodeError:
        raise KeyUnusable(path, "it is not UTF-8") from None
    except KeyTooShort:
        raise KeyUnusable(path, "one of its lines is too short for a key") from None
