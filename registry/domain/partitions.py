"""Partitions of an enterprise's e-Box, and the right to read them."""

from dataclasses import dataclass
from typing import Final

from registry.domain.errors import PermissionMissing

GENERAL: Final = "GENERAL"  # the partition that every enterprise e-Box has (contract 4.15)


@dataclass(frozen=True, slots=True)
class Rights:
    """The partitions of one e-Box that a caller may read; `readable` None means all of them.

    `existing` are the partitions that exist, readable or not.
    """

    readable: frozenset[str] | None = None
    existing: frozenset[str] = frozenset()

    def allow(self, partition: str | None) -> bool:
        """Tell if messages in this partition may be shown."""
        return self.readable is None or partition in self.readable

    def narrow(self, partitions: frozenset[str]) -> frozenset[str] | None:
        """Choose the partitions to look in, None for all; `partitions` are those of the query.

        A partition without right raises `PermissionMissing`; one that does not exist matches
        nothing (contract 6.5).
        """
        if self.readable is None:
            return partitions or None
        if partitions & self.existing - self.readable:
            raise PermissionMissing("The caller has no right on a partition that was asked for.")
        return partitions & self.readable if partitions else self.readable


WHOLE_EBOX = Rights()
