"""Costs: requests that weigh more than others, so that one caller does not pay for another."""

from collections.abc import Iterator
from contextlib import contextmanager

from registry.api.context import caller, ebox
from registry.api.quota import COSTLY
from registry.api.state import get_state


def charge(weight: int) -> None:
    """Have this request weigh more; raises `TooManyRequests`."""
    get_state().quota.spend(caller(), weight)


@contextmanager
def weigh(*, is_costly: bool) -> Iterator[None]:
    """Hold around what this request asks the e-Box; what is costly weighs more, and has slots.

    Raises `TooManyRequests` and `TooManyAtOnce`.
    """
    if not is_costly:
        yield
        return
    charge(COSTLY)
    state = get_state()
    with state.costly_slots.hold(f"client {state.quota.name(caller())}", f"ebox {ebox().key}"):
        yield
