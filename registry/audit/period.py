"""Periods of the trail."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(hours=1)  # a transaction is not open for longer


@dataclass(frozen=True, slots=True)
class TrailPeriod:
    """A part of the trail, from `begin` to just before `end`; both aware, None for no limit."""

    begin: datetime | None = None
    end: datetime | None = None

    def overlaps(self, previous_seal: datetime | None, sealed_at: datetime) -> bool:
        """Say whether a seal may have entries of the period, by its time and that of the last.

        None where the time of the last is not known.
        """
        if self.begin is not None and sealed_at < self.begin:
            return False
        # An entry is sealed once its transaction is over: it may be older than the seal before.
        return self.end is None or previous_seal is None or previous_seal - LONGEST < self.end


EVER: Final = TrailPeriod()
