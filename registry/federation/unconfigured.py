"""What stands in for a federal service that no setting names."""

from collections.abc import Sequence

from registry.domain.errors import Unavailable
from registry.domain.events import Announcement, EventServiceResponse, Verdict
from registry.domain.identifiers import Ebox, EnterpriseNumber, Ssin
from registry.domain.routing import Rule


class NoPartitionService:
    """Knows no rights, mandates or rules: none can be read, and nothing is guessed."""

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """Raises `Unavailable`."""
        raise Unavailable("No Partition API is configured.")

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """Raises `Unavailable`."""
        raise Unavailable("No Partition API is configured.")

    def has_mandate(
        self, enterprise: EnterpriseNumber, mandatary: EnterpriseNumber, operation: str = "publish"
    ) -> bool:
        """Raises `Unavailable`: whoever publishes for another is refused."""
        raise Unavailable("No Partition API is configured.")

    def routing_rules(self, enterprise: EnterpriseNumber) -> tuple[Rule, ...]:
        """Raises `Unavailable`: publications wait in the general partition (contract 6.18)."""
        raise Unavailable("No Partition API is configured.")

    def close(self) -> None:
        """There is nothing to close."""


class NoPreferences:
    """Knows nothing of recipients, so that no publication says NO_DIGITAL_USER."""

    def is_digital(self, ebox: Ebox) -> bool | None:
        """Always None: unknown."""
        return None

    def close(self) -> None:
        """There is nothing to close."""


class NoEventService:
    """Hears nothing, so that events wait until there is one."""

    def tell(self, announcements: Sequence[Announcement]) -> EventServiceResponse:
        """Always `Verdict.OUTAGE`."""
        return EventServiceResponse(Verdict.OUTAGE, "No event service is configured.")

    def close(self) -> None:
        """There is nothing to close."""
