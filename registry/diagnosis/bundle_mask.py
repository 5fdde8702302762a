"""The mask over a support bundle: settings by name, log lines by known members, secrets nowhere."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from registry.domain.personal_data import MASK
from registry.settings import Settings
from registry.settings.fault import PREFIX
from registry.telemetry.masking import mask_text

_SHORTEST: Final = 4  # characters of a secret that is looked for: `x` is in every text
_LARGEST: Final = 10**9  # of a figure in the log: a number of a person is larger
_KEYS: Final = frozenset({"s3_access_key", "audit_s3_access_key"})
_USER_INFO: Final = re.compile(r"(?<=://)[^\s/@\"]{1,200}@")
# Members of our log lines that are ids, figures or words of ours; no other is taken over.
_MEMBERS: Final = ("timestamp", "level", "trace_id", "method", "status", "seconds", "duty", "pause")
# What we log that has no word of others in it.
_EVENTS: Final = frozenset(
    {
        *("request", "started", "stopped", "done", "failed", "failed unexpectedly", "trouble"),
        *("waiting", "stays", "a thread has ended", "document broken off", "not noted"),
        "document not scanned",
    }
)
_WORD: Final = re.compile(r"[A-Za-z0-9:.+-]{1,40}")


def describe_settings(settings: Settings) -> dict[str, Any]:
    """Describe each setting by its variable; a secret that is set is nothing but a mask."""
    return {
        PREFIX + name.upper(): _describe_value(name, getattr(settings, name))
        for name in type(settings).model_fields
    }


def excerpt_log(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Excerpt lines of our log; what is no line of ours, or may have words of others, is left out.

    Values are figures and single words: nobody's name, subject or file is one of those members.
    """
    for line in lines:
        try:
            members = json.loads(line)
        except ValueError:
            continue
        if isinstance(members, Mapping):
            excerpt = {name: members[name] for name in _MEMBERS if _is_plain(members.get(name))}
            event = members.get("event")
            yield {"event": event if event in _EVENTS else "(left out)", **excerpt}


class SecretMask:
    """Takes out of any text what the settings keep secret, tokens, and numbers of persons."""

    def __init__(self, settings: Settings) -> None:
        # The longest first: one may be part of another.
        self._secrets = sorted(_list_secrets(settings), key=len, reverse=True)

    def mask(self, value: Any) -> Any:
        """Mask each text in a value, however deep; figures are ours, and stay."""
        if isinstance(value, Mapping):
            return {self._mask_text(str(name)): self.mask(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask(each) for each in value]
        if isinstance(value, bool | int | float | None):
            return value
        return self._mask_text(str(value))

    def _mask_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return mask_text(_USER_INFO.sub(f"{MASK}@", text))


def _describe_value(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr) or (name in _KEYS and value is not None):
        return MASK
    return value if isinstance(value, bool | int | float | None) else str(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    return isinstance(value, int | float) and abs(value) < _LARGEST


def _list_secrets(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            continue
        if isinstance(value, SecretStr) or name in _KEYS:
            yield from (each for each in _list_parts(text) if len(each) >= _SHORTEST)


def _list_parts(secret: str) -> Iterator[str]:
    """List a secret as it may be written, and of a URL the password."""
    yield secret
    if "://" in secret:
        password = urlsplit(secret).password or ""
        yield from {password, unquote(password)}
