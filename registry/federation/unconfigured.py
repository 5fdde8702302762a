"""Stand-ins for the federal services that no setting names."""

from collections.abc import Sequence

from registry.domain.errors import Unavailable
from registry.domain.events import Announcement, EventServiceResponse, Verdict
from registry.domain.identifiers import Ebox, EnterpriseNumber, Ssin
from registry.domain.routing import Rule


class NoPartitionApi:
    """Knows no rights, mandates or rules: none can be read, and nothing is guessed."""

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """Raise `Unavailable`."""
        raise Unavailable("No Partition API is configured.")

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """Raise `Unavailable`."""
        raise Unavailable("No Partition API is configured.")

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Raise `Unavailable`: whoever publishes for another is refused."""
        raise Unavailable("No Partition API is configured.")

    def routing_rules(self, enterprise: EnterpriseNumber) -> tuple[Rule, ...]:
        """Raise `Unavailable`: publications wait in the general partition (contract 6.18)."""
        raise Unavailable("No Partition API is configured.")

    def close(self) -> None:
        """Do nothing: nothing is open."""


class NoPreferences:
    """Knows nothing of recipients, so that no publication says NO_DIGITAL_USER."""

    def is_digital(self, ebox: Ebox) -> bool | None:
        """Give None: unknown."""
        return None

    def close(self) -> None:
        """Do nothing: nothing is open."""


class NoEventService:
    """Hears nothing, so that events wait until there is one."""

    def tell(self, announcements: Sequence[Announcement]) -> EventServiceResponse:
        """Give `Verdict.OUTAGE`: the events wait."""
        return EventServiceResponse(Verdict.OUTAGE, "No event service is configured.")

    def close(self) -> None:
        """Do nothing: nothing is open."""
