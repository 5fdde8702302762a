"""Our certificates, as the settings name them."""

from registry.settings import Settings
from registry.settings.owners import OwnCertificate, read_own_certificate


def read_certificates(settings: Settings) -> dict[str, OwnCertificate]:
    """Read our certificates, by the variables that name them, as far as they can be read."""
    password = settings.oauth_key_password
    secret = password.get_secret_value().encode() if password else None
    certificates = {
        "REGISTRY_OAUTH_KEY_PATH": read_own_certificate(settings.oauth_key_path, secret),
        "REGISTRY_FEDERATION_CERTIFICATE": read_own_certificate(
            settings.federation_certificate, None
        ),
    }
    return {name: each for name, each in certificates.items() if each}
