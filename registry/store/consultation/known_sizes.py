"""Which e-Boxes this process knows to be large: a guess that saves a statement, never a right."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from registry.domain.identifiers import Ebox

_MOST: Final = 10_000  # e-Boxes; then it is learnt anew


@dataclass(frozen=True, slots=True)
class KnownSizes:
    """Remembers large e-Boxes; `large_from` is the number of messages that makes one large."""

    large_from: int
    _large: set[Ebox] = field(default_factory=set, repr=False)

    def guess(self, ebox: Ebox) -> Iterator[bool]:
        """Guess whether the e-Box is large: as it was last, then the other, and once more.

        The database knows, and shows nothing to whoever asks as if it were otherwise. An e-Box
        becomes large once, and small only when it is erased: the third guess is right.
        """
        was_large = ebox in self._large
        yield from (was_large, not was_large, was_large)

    def note(self, ebox: Ebox, *, is_large: bool) -> None:
        """Remember what an e-Box is."""
        if not is_large:
            self._large.discard(ebox)
        elif ebox not in self._large:
            if len(self._large) >= _MOST:
                self._large.clear()
            self._large.add(ebox)
