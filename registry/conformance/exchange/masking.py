"""Shows exchanges without tokens, numbers of people and enterprises, subjects or file names."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from registry.conformance.exchange.exchange import Exchange

LONGEST: Final = 3000  # characters of a body that are shown
_MASK: Final = "…"
_NUMBER: Final = re.compile(r"(?<![0-9a-fA-F-])\d{9,11}(?![0-9a-fA-F-])")
_HEADERS: Final = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
# Texts under these names say nothing of anybody; all others are masked.
_HARMLESS: Final = frozenset(
    """
    messageId originalMessageId receiptDate expirationDate executionDate messageTypeId
    senderApplicationId applicationId messageTemplateId eboxType partition mediaType digestMethod
    digestValue attachmentId imageId language currency dueDate status type title code id instance
    in environment validityPeriodUnit lastReceiptDate messageActionId key isRead isVisible
    """.split()  # noqa: SIM905 - a text to read, not a list of quotes
)
_HARMLESS_QUERIES: Final = frozenset(
    """
    page pageSize receivedBefore receivedAfter expiredBefore expiredAfter isRead isVisible
    isRegisteredMail isActionRequired readStatus visible registeredMail qlang partition
    messageTypeId senderApplicationId
    """.split()  # noqa: SIM905 - the same
)


def mask_url(url: str) -> str:
    """Write a URL with values of the query masked, unless they name nobody."""
    plain, _, query = url.partition("?")
    pairs = [
        (name, value if name in _HARMLESS_QUERIES else _MASK)
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return mask_text(plain) + (f"?{urlencode(pairs, safe=_MASK)}" if pairs else "")


def mask_text(text: str) -> str:
    """Mask what looks like the number of an enterprise or a person."""
    return _NUMBER.sub(_MASK, text)


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Mask credentials, and the names of files."""
    return {name: _mask_header(name.lower(), text) for name, text in headers.items()}


def show_body(exchange: Exchange) -> str:
    """Show the body of an answer: JSON with its texts masked, else how much of what it is."""
    if not exchange.body:
        return ""
    if exchange.media_type.endswith("json"):
        try:
            content = json.loads(exchange.body)
        except ValueError:
            return f"({len(exchange.body)} bytes that are no JSON)"
        text = json.dumps(_mask_value("", content), indent=1, ensure_ascii=False)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… and more"
    return f"({len(exchange.body)} bytes of {exchange.media_type or 'no media type'})"


def _mask_header(name: str, text: str) -> str:
    if name in _HEADERS:
        scheme, space, rest = text.partition(" ")
        return f"{scheme}{space}{_MASK}" if space and rest else _MASK
    if name == "content-disposition":
        kind, semicolon, _ = text.partition(";")
        return f"{kind}{semicolon} {_MASK}" if semicolon else kind
    return mask_text(text)


def _mask_value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask_value(key, child) for key, child in value.items()}
    if isinstance(value, list):
        return [_mask_value(name, child) for child in value[:3]] + [_MASK] * (len(value) > 3)
    if isinstance(value, str):
        return mask_text(value) if name in _HARMLESS else _MASK
    if isinstance(value, bool) or value is None or name in ("totalItems", "status", "size"):
        return value
    return value if name.startswith("numberOf") else _MASK
