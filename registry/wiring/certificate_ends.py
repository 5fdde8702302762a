"""The ends of our own certificates, for the worker, which shows them."""

from datetime import datetime

from registry.settings import Settings
from registry.settings.certificates import find_end


def find_certificate_ends(settings: Settings) -> dict[str, datetime | None]:
    """Find when our certificates end, by the settings that name them; None: it cannot be read.

    A file of keys has none, and is left out.
    """
    secret = settings.oauth_key_password
    password = secret.get_secret_value().encode() if secret else None
    files = {
        "federation_certificate": (settings.federation_certificate, None),
        "oauth_key_path": (settings.oauth_key_path, password),
    }
    ends: dict[str, datetime | None] = {}
    for name, (path, secret_word) in files.items():
        try:
            if path and (end := find_end(path, secret_word)):
                ends[name] = end
        except (OSError, ValueError):
            ends[name] = None
    return ends
