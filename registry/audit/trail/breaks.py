"""Breaks: where an older database was put beside the bucket, and an operator had sealing go on.

A break is part of the head of a seal: signed, named by the next seal, and locked away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.audit.trail.untrusted_json import DamagedText, read_member


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The seals after `database_seal` up to `bucket_seal` are those that the database had lost.

    `missing` counts the entries under them that it did not have. `remnants` names those that it
    had, by seal, as ranges of their numbers. Hashes are those of the last seals of both places.
    """

    reason: str
    operator: str
    bucket_seal: int
    bucket_hash: str
    database_seal: int  # 0 where the database had none
    database_hash: str
    missing: int
    remnants: Mapping[int, tuple[range, ...]] = field(default_factory=dict)

    def covers(self, seal: int) -> bool:
        """Say whether the database had lost the seal of this number."""
        return self.database_seal < seal <= self.bucket_seal

    def keeps(self, seal: int, number: int) -> bool:
        """Say whether the database still had this entry of a seal that it had lost."""
        return any(number in numbers for numbers in self.remnants.get(seal, ()))

    def __str__(self) -> str:
        """One line for a person."""
        summary = "No seal was lost"
        if self.bucket_seal > self.database_seal:
            summary = (
                f"The database ended at seal {self.database_seal}, the bucket at"
                f" {self.bucket_seal}; {self.missing} entries between are lost"
            )
        return f"{summary}. Resumed by {self.operator}: {self.reason}"


def find_break(breaks: Iterable[Break], seal: int) -> Break | None:
    """Find the last break before which the database had lost the seal of this number."""
    return max(
        (each for each in breaks if each.covers(seal)),
        key=lambda each: each.bucket_seal,
        default=None,
    )


def join_runs(numbers: Sequence[int]) -> list[list[int]]:
    """Join successive numbers to runs `[first, length]`, in which they take no room."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][0] + runs[-1][1]:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return runs


def write_break(known_break: Break) -> dict[str, Any]:
    """Write the member of a head."""
    return {
        "reason": known_break.reason,
        "operator": known_break.operator,
        "bucket_seal": known_break.bucket_seal,
        "bucket_hash": known_break.bucket_hash,
        "database_seal": known_break.database_seal,
        "database_hash": known_break.database_hash,
        "missing": known_break.missing,
        "remnants": [
            [seal, [[run.start, len(run)] for run in runs]]
            for seal, runs in sorted(known_break.remnants.items())
        ],
    }


def read_break(members: dict[str, Any]) -> Break:
    """Read the member of a head; raise `DamagedText`."""
    return Break(
        reason=read_member(members, "reason", str),
        operator=read_member(members, "operator", str),
        bucket_seal=read_member(members, "bucket_seal", int),
        bucket_hash=read_member(members, "bucket_hash", str),
        database_seal=read_member(members, "database_seal", int),
        database_hash=read_member(members, "database_hash", str),
        missing=read_member(members, "missing", int),
        remnants=dict(_read_kept(item) for item in read_member(members, "remnants", list)),
    )


def _read_kept(item: Any) -> tuple[int, tuple[range, ...]]:
    match item:
        case [int(seal), list(runs)]:
            return seal, tuple(_read_run(run) for run in runs)
    raise DamagedText("The entries that a break keeps are not named by their seals.")


def _read_run(run: Any) -> range:
    match run:
        case [int(first), int(length)]:
            return range(first, first + length)
    raise DamagedText("The entries that a break keeps are not in runs.")
