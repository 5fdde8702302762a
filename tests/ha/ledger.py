"""What senders were told, kept where no failover can reach it, and held against what is there."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

Kind = Literal["read", "publish"]

OK: Final = "ok"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request and how it ended: `ok`, a status, an error's name, or what was wrong with it.

    `began` and `end` are by the monotonic clock.
    """

    kind: Kind
    outcome: str
    began: float
    end: float


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A publication whose sender was told that it is there: its key, message and document."""

    key: str
    message_id: str
    digest: str
    end: float


class Ledger:
    """All attempts and acknowledgements of all clients, who are threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: list[Attempt] = []
        self._acknowledgements: list[Acknowledgement] = []

    def note(self, attempt: Attempt) -> None:
        """Note how a request ended."""
        with self._lock:
            self._attempts.append(attempt)

    def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Note that a sender was told."""
        with self._lock:
            self._acknowledgements.append(acknowledgement)

    def attempts(self, since: float, until: float) -> Sequence[Attempt]:
        """Those that ended in this span."""
        with self._lock:
            return [each for each in self._attempts if since <= each.end <= until]

    def acknowledgements(self, since: float = 0.0) -> Sequence[Acknowledgement]:
        """Those from this instant on."""
        with self._lock:
            return [each for each in self._acknowledgements if each.end >= since]


def measure_outage(attempts: Iterable[Attempt], kind: Kind, since: float, until: float) -> float:
    """The longest time, in seconds, in which no request of a kind ended well."""
    ends = sorted(each.end for each in attempts if each.kind == kind and each.outcome == OK)
    instants = [since, *ends, until]
    return max(later - earlier for earlier, later in pairwise(instants))


@dataclass(frozen=True, slots=True)
class Account:
    """How many acknowledged publications there are, and which are lost, double or half there."""

    acknowledged: int
    lost: Sequence[str]
    double: Sequence[str]
    incomplete: Sequence[str]

    @property
    def is_even(self) -> bool:
        """True when each is there once, with its document."""
        return not (self.lost or self.double or self.incomplete)


def settle(
    acknowledgements: Sequence[Acknowledgement],
    filings: Iterable[tuple[str, str]],
    documents: Iterable[tuple[str, str]],
) -> Account:
    """Hold acknowledgements against filings, of key and message, and documents, of message and
    digest; the digests are those of the bytes that were really read.
    """
    message_ids: dict[str, list[str]] = {each.key: [] for each in acknowledgements}
    for key, message_id in filings:
        message_ids.setdefault(key, []).append(message_id)
    digests = dict(documents)
    return Account(
        len(acknowledgements),
        [each.key for each in acknowledgements if each.message_id not in message_ids[each.key]],
        [key for key, several in message_ids.items() if len(several) > 1],
        [each.key for each in acknowledgements if digests.get(each.message_id) != each.digest],
    )
