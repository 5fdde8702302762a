"""Limits of what a problem repeats of a request, lest an answer grows with its input."""

from typing import Final

MOST_FAULTS: Final = 100  # of one body
MOST_CHARACTERS: Final = 200  # of a value, a name or a path
