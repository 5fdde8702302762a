"""What can be wrong with an audit trail, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The ways in which a trail is not what was sealed."""

    EDIT = "edit"
    DELETION = "deletion"
    INSERTION = "insertion"
    REORDER = "reorder"
    TRUNCATION = "truncation"  # the entries of the last seals are gone
    ROLLBACK = "rollback"  # entries and copies of the last seals are gone: an older database
    BROKEN_SEAL = "broken seal"
    BROKEN_CHAIN = "broken chain"
    BAD_SIGNATURE = "bad signature"
    UNKNOWN_KEY = "unknown key"
    WRONG_ROOT = "wrong root"
    GAP = "gap"  # in the transactions that seals cover
    OVERLAP = "overlap"
    MISSING_SEAL = "missing seal"
    NOT_LOCKED = "not locked"  # only the database has it: the next to go to the bucket, or forged
    COPY_DIFFERS = "copy differs"
    BROKEN_BUNDLE = "broken bundle"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: with seal `seal`, or all of it, and with these entries by number."""

    kind: Kind
    seal: int | None
    entries: tuple[int, ...] = ()
    detail: str = ""

    def __str__(self) -> str:
        """One line for a human: where, what, and why."""
        places = [] if self.seal is None else [f"seal {self.seal}"]
        if self.entries:
            shown = ", ".join(map(str, self.entries[:_SHOWN]))
            more = f" and {len(self.entries) - _SHOWN} more" if len(self.entries) > _SHOWN else ""
            places.append(f"{'entry' if len(self.entries) == 1 else 'entries'} {shown}{more}")
        return ": ".join(part for part in (", ".join(places), self.kind, self.detail) if part)


_SHOWN = 10
