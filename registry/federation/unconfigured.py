"""What stands in for a federal service that no setting names."""

from registry.domain.errors import Unavailable
from registry.domain.identifiers import EnterpriseNumber, Ssin


class NoPartitionService:
    """Knows no rights: a person's partitions cannot be read, and nothing is guessed."""

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """Raises `Unavailable`."""
        raise Unavailable("No Partition API is configured.")

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """Raises `Unavailable`."""
        raise Unavailable("No Partition API is configured.")

    def close(self) -> None:
        """There is nothing to close."""
