"""The address that a request comes from, as far as the proxies before us are trusted."""

from typing import Final

from flask import request

_FORWARDED: Final = "X-Forwarded-For"


def read_client_address(proxies: int) -> str:
    """Read the address of the client behind so many proxies, each of which added what it saw.

    What stands before their additions is the client's own word, and believed by nobody. Fewer
    additions than proxies: who speaks to us went round them, so it is his own address.
    """
    additions = request.headers.get(_FORWARDED, "").split(",")
    client = additions[-proxies].strip() if 0 < proxies <= len(additions) else ""
    return client or request.remote_addr or ""
