"""Lines on the way: what is done, how far it is, and when it is likely over."""

import sys
import time


def say(text: str) -> None:
    """Print a line at once, with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


class Progress:
    """A count that grows to a total: one line on a terminal, else a line every ten seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._count = what, total, 0
        self._begin = self._shown = time.monotonic()

    def add(self, count: int) -> None:
        """Count so many more."""
        self._count += count
        now = time.monotonic()
        if now - self._shown >= (0.5 if sys.stdout.isatty() else 10):
            self._shown = now
            left = (now - self._begin) * (self._total - self._count) / max(1, self._count)
            text = f"  {self._count:,} of {self._total:,} {self._what}, {left:.0f} s left"
            print(text, end="\r" if sys.stdout.isatty() else "\n", flush=True)

    def close(self) -> None:
        """Say the total and the time."""
        took = time.monotonic() - self._begin
        rate = self._count / max(took, 0.001)
        say(f"{self._count:,} {self._what} in {took:.1f} s ({rate:,.0f} a second)")
