"""Whose messages there are: a whale, readers of one size, and a Zipf tail of all others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

READERS: Final = 40
READERS_MESSAGES: Final = 60  # a full page of 25, and no more than a small e-Box has
_EXPONENT: Final = 0.8  # the hundredth e-Box has a fortieth of the first one's messages
_MEAN: Final = 10  # messages of an e-Box of the tail


@dataclass(frozen=True, slots=True)
class FilledEbox:
    """An e-Box and how many messages it has."""

    key: str
    messages: int

    @property
    def number(self) -> str:
        """The enterprise number or SSIN in it."""
        return self.key.partition(":")[2]

    @property
    def is_enterprise(self) -> bool:
        """Enterprises have partitions, citizens none."""
        return self.key.startswith("enterprise:")


@dataclass(frozen=True, slots=True)
class Population:
    """The e-Boxes of a database of so many messages, its whale not among them."""

    messages: int

    @property
    def whale(self) -> FilledEbox:
        """One with 200,000, or with 20,000 where all the others together have few."""
        return FilledEbox(_make_enterprise(0), 200_000 if self.messages >= 1_000_000 else 20_000)

    @property
    def readers(self) -> list[FilledEbox]:
        """Those whose owners read in the profiles, alike in every database."""
        return [
            FilledEbox(_make_enterprise(serial), READERS_MESSAGES)
            for serial in range(1, READERS + 1)
        ]

    @property
    def total(self) -> int:
        """All messages."""
        return sum(each.messages for each in self)

    def __iter__(self) -> Iterator[FilledEbox]:
        """All of them, the largest first; every third of the tail is a citizen's."""
        yield self.whale
        yield from self.readers
        left = self.messages - READERS * READERS_MESSAGES
        count = left // _MEAN
        largest = left / sum(rank**-_EXPONENT for rank in range(1, count + 1))
        for rank in range(1, count + 1):
            size = min(left, max(1, round(largest * rank**-_EXPONENT)))
            left -= size
            make_key = _make_citizen if rank % 3 == 0 else _make_enterprise
            if size:
                yield FilledEbox(make_key(READERS + rank), size)
        if left:  # by rounding
            yield FilledEbox(_make_enterprise(READERS + count + 1), left)


def _make_enterprise(serial: int) -> str:
    base = 5_000_000 + serial
    return f"enterprise:{base:08d}{97 - base % 97:02d}"


def _make_citizen(serial: int) -> str:
    """Make a key whose SSIN is of nobody: its month is 40 too high, as for test persons."""
    base = 500_000_000 + 41_00_000 + serial
    return f"citizen:{base:09d}{97 - base % 97:02d}"
