"""What the portal's page may load and whom it may call, as its Content-Security-Policy."""

import re
from typing import Final

# No path and nothing that ends a source or a directive: the text goes into a header as it is.
_ORIGIN: Final = re.compile(
    r"(https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:]{2,45}\])(?::\d{1,5})?)(?:/.*)?", re.I
)
_RULES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",  # logos need a bearer token, so they are fetched
    "frame-src blob:",  # documents, likewise
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "trusted-types inert",  # a policy that only parses
    "require-trusted-types-for 'script'",
)


def read_origin(url: str) -> str | None:
    """Read the origin of a registry's base URL; None of anything else."""
    match = _ORIGIN.fullmatch(url)
    return match[1].lower() if match else None


def make_policy(registry: str) -> str:
    """Make the policy of a page that calls its own server, the registry of this URL, and no other.

    A URL without an origin stands for none.
    """
    callees = ("'self'", read_origin(registry))
    return "; ".join((*_RULES, f"connect-src {' '.join(filter(None, callees))}"))
