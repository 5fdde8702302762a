"""Readings of the parts of a process, for operators: breakers, seats, connections."""

from typing import Final

from sqlalchemy import Engine

from registry.blobs.waits import WaitSlots
from registry.http_client.breaker import Breaker
from registry.http_client.seats import Seats
from registry.telemetry.watch import get_lane, show

_WAITING: Final = "registry_threads_waiting"


def show_breaker(breaker: Breaker, neighbour: str) -> Breaker:
    """Show whether a neighbour is left alone; gives the breaker."""
    show(breaker, "registry_breaker_open", lambda it: float(it.is_open), neighbour=neighbour)
    return breaker


def show_seats(seats: Seats) -> Seats:
    """Show how many threads wait to learn who calls; gives the seats."""
    show(seats, _WAITING, lambda it: it.count_taken(), lane=get_lane(), reason="introspection")
    return seats


def show_slots(slots: WaitSlots, neighbour: str) -> WaitSlots:
    """Show how many threads have waited long for a neighbour; gives the slots."""
    show(slots, _WAITING, lambda it: it.count_taken(), lane=get_lane(), reason=neighbour)
    return slots


def show_connections(engine: Engine) -> Engine:
    """Show how many connections the pool may have, and has given out; gives the engine."""
    metric = "registry_database_connections"
    show(engine.pool, metric, lambda pool: pool.size(), state="all")  # type: ignore[attr-defined] # a QueuePool's
    show(engine.pool, metric, lambda pool: pool.checkedout(), state="in use")  # type: ignore[attr-defined] # the same
    return engine
