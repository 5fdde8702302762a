"""Health of the service, in the words of the Belgian REST guide `[hlth-res]`."""

from enum import StrEnum


class Health(StrEnum):
    """How far the service serves; the worst is the last."""

    UP = "UP"
    DEGRADED = "DEGRADED"  # most calls are served
    DOWN = "DOWN"

    @property
    def serves(self) -> bool:
        """Tell if requests may be sent here."""
        return self is not Health.DOWN


def find_worst(states: "list[Health]") -> Health:
    """Find the state of a whole by those of its parts."""
    return max(states, key=list(Health).index, default=Health.UP)
