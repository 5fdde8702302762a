"""A limit on unknown tokens by the address that brings them: for floods of made-up ones."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock
from typing import Final

from cachetools import LRUCache

from registry.domain.errors import TokenExpired, TokenInvalid, TooManyRequests
from registry.federation.token_claims import TokenOutcome

_WINDOW: Final = 60  # seconds
_DOUBTFUL: Final = 0.25  # of the limit: from here on an address looks like the source of a flood


@dataclass(slots=True)
class _Account:
    began: float
    refusals: int = 0


class AddressLimit:
    """Counts the unknown tokens of an address that were asked about and refused, by minutes.

    A token that turns out active costs nothing, so that a portal may bring as many as it likes
    from one address; nor does one without a verdict, or an outage would be held against whoever
    came meanwhile. `limit` 0 counts nothing. The `size` addresses that were counted last are
    remembered. Shared by threads; each process counts for itself.
    """

    def __init__(
        self, limit: int, size: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._clock = limit, clock
        self._lock = Lock()
        self._accounts: LRUCache[str, _Account] = LRUCache(size)

    def check(self, address: str) -> bool:
        """Raise `TooManyRequests` when the address has used up its minute.

        True for one that used little of it, which may wait for a seat.
        """
        with self._lock:
            account = self._accounts.get(name_network(address))
            rest = account.began + _WINDOW - self._clock() if account is not None else 0
            if account is None or rest <= 0:
                return True
            refusals = account.refusals
        if refusals >= self._limit:
            raise TooManyRequests(self._limit, ceil(rest))
        return refusals < _DOUBTFUL * self._limit

    def count(self, address: str, outcome: TokenOutcome) -> None:
        """Count what became of an unknown token that this address brought."""
        if outcome not in (TokenInvalid, TokenExpired) or not self._limit:
            return
        network = name_network(address)
        if not network:  # an address that is none tells nobody from anybody else
            return
        with self._lock:
            now = self._clock()
            account = self._accounts.get(network)
            if account is None or account.began + _WINDOW <= now:
                account = self._accounts[network] = _Account(now)
            account.refusals += 1


def name_network(text: str) -> str:
    """Name what one client has of addresses: one of IPv4, or a /64 of IPv6; of no address, "".

    Some proxies add a port.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or f"{int(address) >> 64:x}::/64")
    return str(address)
