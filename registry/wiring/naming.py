"""How e-Boxes and persons are named in records that outlive them."""

from registry.domain.pseudonyms import KeyTooShort, Pseudonyms
from registry.settings import Settings, SettingsError


def pseudonyms(settings: Settings) -> Pseudonyms:
    """Keyed hashes under the key of the settings; raises `SettingsError` when it will not do."""
    if settings.hash_key is None:
        raise SettingsError(["REGISTRY_HASH_KEY: is needed and not set"])
    try:
        return Pseudonyms(settings.hash_key.get_secret_value())
    except KeyTooShort as error:
        raise SettingsError([f"REGISTRY_HASH_KEY: {error}"]) from None
