"""A writer of log lines for whom nobody waits, however ill the file, the pipe or its reader is."""

import atexit
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Final

_MOST: Final = 4 << 20  # bytes that may wait
_RETRY: Final = 0.5  # seconds before what could not be written is tried again
_LINGER: Final = 0.02  # seconds in which lines gather, so that a busy process wakes no thread each
_PATIENCE: Final = 1.0  # seconds for what still waits when the process ends
_GLANCE: Final = 0.01


class LogWriter:
    """Lines on their way to a file descriptor, which one thread writes in their order.

    What finds no room is dropped and counted, and `describe_gap` makes the line that stands in its
    place. A line that cannot be written, because the disk is full or nobody reads, is tried until
    it can. The lock may be taken again by its owner, since a signal's handler may log.
    """

    def __init__(
        self, descriptor: int, describe_gap: Callable[[int], str], most: int = _MOST
    ) -> None:
        self._descriptor, self._describe_gap, self._most = descriptor, describe_gap, most
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Begin with nothing: threads do not survive a fork, and what waits is the parent's."""
        self.lost_lines = 0
        self._lock = threading.RLock()
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        self._size = 0  # bytes that wait, or are being written
        self._gap = 0  # lines lost since the last one that was taken
        self._post = threading.Lock()  # of the one thread that writes, which keeps it

    def write(self, line: str) -> None:
        """Take a line, without its end, or drop it; never raises, and never waits."""
        content = _encode(line)
        with self._lock:
            # Once something is lost, half must be free: one gap is told, not one for every line.
            most = self._most // 2 if self._gap else self._most
            if self._size + len(content) > most:
                self._gap += 1
                self.lost_lines += 1
                return
            self._put_gap()
            self._put(content)

    def flush(self, seconds: float = _PATIENCE) -> None:
        """Wait until all lines are written, but not longer than this."""
        until = time.monotonic() + seconds
        while self._size > 0 and time.monotonic() < until:
            time.sleep(_GLANCE)

    def _put(self, content: bytes) -> None:
        self._size += len(content)
        self._lines.put(content)
        # A lock that nobody waits for: a signal's handler may come between a look and a start.
        if self._post.acquire(blocking=False):
            try:
                threading.Thread(target=self._work, name="log", daemon=True).start()
                atexit.register(self.flush)
            except RuntimeError:  # there are too many threads; the next line tries again
                self._post.release()

    def _put_gap(self) -> None:
        if self._gap:
            content, self._gap = _encode(self._describe_gap(self._gap)), 0
            self._put(content)

    def _work(self) -> None:
        for batch in self._batches():
            self._write_whole(batch)
            with self._lock:
                self._size -= len(batch)
                if self._size <= 0:  # all is well again, though nobody may write for long
                    self._put_gap()

    def _batches(self) -> Iterator[bytes]:
        """Join lines, up to what a pipe takes in one piece whoever else writes to it."""
        rest = b""
        while True:
            if not rest and self._lines.empty():
                time.sleep(_LINGER)
            batch, rest = rest or self._lines.get(), b""
            while not rest and not self._lines.empty():
                line = self._lines.get()
                if len(batch) + len(line) <= select.PIPE_BUF:
                    batch += line
                else:
                    rest = line
            yield batch

    def _write_whole(self, content: bytes) -> None:
        while content:
            try:
                # Past Python's buffers, whose lock would be held when the process ends.
                content = content[os.write(self._descriptor, content) :]
            except BlockingIOError:  # somebody has set the pipe not to block
                select.select([], [self._descriptor], [], _RETRY)
            except OSError:
                time.sleep(_RETRY)


def _encode(line: str) -> bytes:
    return f"{line}\n".encode(errors="backslashreplace")
