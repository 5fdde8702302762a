"""Checks that settings belong to the environment they name, before anything is served.

Each gives faults, as name of a setting and text, and none repeats a value that may be secret.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from registry.settings.fault import SettingFault

if TYPE_CHECKING:
    from registry.settings import Settings


_REAL: Final = ("acceptation", "simulation", "production")  # where the mail of real people may be
URL_FIELDS: Final = (
    *("public_url", "s3_endpoint", "oauth_token_url", "oauth_introspect_url", "oauth_audience"),
    *("partition_url", "federation_url", "events_url", "audit_s3_endpoint"),
)
_DATABASES: Final = ("database_url", "database_owner_url", "database_worker_url")
# Words in the names of hosts and certificates by which the federation's trial environments, and
# most providers, tell them from the real one: services-acpt, wwwacc, oauthacc, public.int.
_TRIAL_WORDS: Final = re.compile(
    r"(?:^|[^a-z0-9])(?:www|oauth)?(?:acc|acpt|acceptance|acceptatie|acceptation|int|sim|tst|test|uat|dev)"
    r"(?![a-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_PRODUCTION_HOSTS: Final = frozenset(
    {
        "services.socialsecurity.be",
        "oauth.socialsecurity.be",
        "public.fedservices.be",
        "eboxenterprise.be",
        "www.eboxenterprise.be",
        "app.eboxenterprise.be",
    }
)
LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
# Anybody can read the key of the sandbox: hashes made with it hide nobody.
_PUBLISHED_KEY: Final = "of the sandbox, where there is nobody to hide"
_SHORTEST_KEY: Final = 32  # characters

_OTHER_HOST: Final = "Name the host of this environment, or correct REGISTRY_ENVIRONMENT."
_WITH_TLS: Final = "Write https://; a private authority has a setting of its own."
_ANOTHER_KEY: Final = "Set it to 32 random characters or more: openssl rand -base64 32."
_OTHER_CERTIFICATE: Final = (
    "Name the certificate of this environment that is valid today; a new one is asked for where the"
    " old one came from."
)
_LONGEST_WRITE_CACHE: Final = 60  # seconds: a token that is revoked must not go on writing
_LONGEST_READ_CACHE: Final = 900


def find_faults(settings: "Settings") -> Iterator[SettingFault]:
    """Find all settings that do not belong to the environment.

    Trials with settings of a trial are free in development, test and integration, but no trial may
    use the federation's real services.
    """
    is_production = settings.environment == "production"
    for field, url in _list_urls(settings):
        host = (urlsplit(url).hostname or "").lower()
        if is_production and _is_of_trial(host):
            yield SettingFault(field, f"{host} is no host of production", _OTHER_HOST)
        if not is_production and host in _PRODUCTION_HOSTS:
            yield SettingFault(field, f"{host} is a host of production", _OTHER_HOST)
        # A store on this machine is reached through no network.
        is_near = field.endswith("s3_endpoint") and host in LOOPBACK_HOSTS
        if settings.environment in _REAL and not is_near and not url.startswith("https://"):
            yield SettingFault(field, "must begin with https://", _WITH_TLS)
    if settings.environment in _REAL:
        yield from _find_database_faults(settings)
        yield from _find_limit_faults(settings)
        yield from _find_key_faults(settings)
        yield from _find_certificate_faults(settings, is_production=is_production)


def _is_of_trial(name: str) -> bool:
    """Tell if a name has one of the words of trial environments.

    The last two labels of a host are whom it belongs to: `ebox.test-achats.be` is no trial.
    """
    if "." in name and " " not in name:
        name = ".".join(name.split(".")[:-2])
    return _TRIAL_WORDS.search(name) is not None


def _list_urls(settings: "Settings") -> Iterator[tuple[str, str]]:
    for field in URL_FIELDS:
        url = getattr(settings, field)
        if url and "://" in url:  # an audience need not be a URL
            yield field, url
    for origin in settings.cors_origins:
        yield "cors_origins", origin


def _find_database_faults(settings: "Settings") -> Iterator[SettingFault]:
    for field in _DATABASES:
        secret = getattr(settings, field)
        if secret is None:
            continue
        from sqlalchemy import make_url

        url = make_url(secret.get_secret_value())
        if not url.password and not {"password", "passfile", "sslcert"} & set(url.query):
            text = "must have a password, a passfile or an sslcert"
            yield SettingFault(
                field, text, "Write one of them in it: nobody may be let in without."
            )


def _find_limit_faults(settings: "Settings") -> Iterator[SettingFault]:
    for field in ("rate_limit", "unknown_tokens"):
        if getattr(settings, field) == 0:
            yield SettingFault(field, "must not be 0, which is no limit", "Take it out, or set it.")
    if settings.token_cache_writes > _LONGEST_WRITE_CACHE:
        text = f"must be at most {_LONGEST_WRITE_CACHE} seconds: revoked tokens go on writing"
        yield SettingFault("token_cache_writes", text)
    if settings.token_cache_reads > _LONGEST_READ_CACHE:
        text = f"must be at most {_LONGEST_READ_CACHE} seconds: revoked tokens go on reading"
        yield SettingFault("token_cache_reads", text)


def _find_key_faults(settings: "Settings") -> Iterator[SettingFault]:
    key = settings.hash_key.get_secret_value() if settings.hash_key else None
    if key is None:
        return
    if key == _PUBLISHED_KEY:
        yield SettingFault("hash_key", "is that of the sandbox, which is published", _ANOTHER_KEY)
    elif len(key) < _SHORTEST_KEY:
        text = f"must have at least {_SHORTEST_KEY} characters"
        yield SettingFault("hash_key", text, _ANOTHER_KEY)


def _find_certificate_faults(
    settings: "Settings", *, is_production: bool
) -> Iterator[SettingFault]:
    password = settings.oauth_key_password
    secrets: dict[str, tuple[Path | None, bytes | None]] = {
        "federation_certificate": (settings.federation_certificate, None),
        "oauth_key_path": (
            settings.oauth_key_path,
            password.get_secret_value().encode() if password else None,
        ),
    }
    for field, (path, secret) in secrets.items():
        if path is not None:
            from registry.settings.certificates import find_certificate_faults

            is_foreign = _is_of_trial if is_production else None
            for text in find_certificate_faults(path, secret, is_foreign):
                yield SettingFault(field, text, _OTHER_CERTIFICATE)
