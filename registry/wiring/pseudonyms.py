"""Assembly of the pseudonyms that stand for e-Boxes in the trail and in proofs."""

from registry.domain.errors import SettingsError
from registry.domain.identifiers import Ebox
from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.settings import Settings


def make_pseudonyms(settings: Settings) -> Pseudonyms:
    """Make the pseudonyms under the hash key; raises `SettingsError` for one that will not do."""
    if settings.hash_key is None:
        raise SettingsError(["REGISTRY_HASH_KEY: is needed and not set"])
    try:
        return Pseudonyms(settings.hash_key.get_secret_value())
    except KeyTooShort as error:
        raise SettingsError([f"REGISTRY_HASH_KEY: {error}"]) from None


class NoPseudonyms(Pseudonyms):
    """Stands for the hash key where there is none, as on the machine of an auditor."""

    def __init__(self) -> None:
        super().__init__(" " * 32)

    def hash_ebox(self, ebox: Ebox) -> str:  # noqa: ARG002 - none can be hashed
        """Raise `SettingsError`."""
        raise SettingsError(["REGISTRY_HASH_KEY: is needed here and not set"])
