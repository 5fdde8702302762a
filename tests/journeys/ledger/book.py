"""The book: what callers asked for and what they were answered, in no process of the service."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The work during which a process is killed."""

    PUBLICATION = "publication"
    REPLY = "reply"
    BROADCAST = "broadcast"
    PURGE = "purge"
    SEAL = "seal"
    DELIVER = "deliver"
    MIGRATE = "migrate"
    FSCK = "fsck"
    RESUME = "resume"


BY_HTTP: Final = (Kind.PUBLICATION, Kind.REPLY, Kind.BROADCAST)
BY_JOB: Final = (Kind.PURGE, Kind.SEAL, Kind.DELIVER, Kind.FSCK)
BESIDE: Final = (Kind.MIGRATE, Kind.RESUME)  # on databases of their own


class Harm(StrEnum):
    """What must not be, whenever a process dies."""

    LOST = "lost"
    HALF = "half"
    UNANNOUNCED = "unannounced"


@dataclass(frozen=True)
class Finding:
    """A harm done to a message, a key, an entry or a database, which `subject` names."""

    kind: Kind
    harm: Harm
    subject: str
    detail: str


@dataclass(frozen=True, order=True)
class SentDocument:
    """A document by the figures that its sender has of it."""

    size: int
    digest: str


@dataclass(eq=False)
class Letter:
    """A publication or reply; without a message id nobody was told that it was taken.

    `reader` is the persona whose e-Box it goes to, `purged` the e-Boxes whose copy was let expire.
    """

    kind: Kind
    key: str
    ebox: str
    reader: str
    documents: tuple[SentDocument, ...]
    message_id: str | None = None
    is_reserved: bool = False
    purged: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Mailing:
    """A broadcast of a letter; `recipients` are e-Boxes."""

    letter: Letter
    key: str
    recipients: tuple[str, ...]
    is_acknowledged: bool = False


@dataclass
class Book:
    """All that was asked and answered, by several threads; kills and runs are counted by kind.

    `strays` are objects of nobody that were put into storage, with their digests. `findings` are
    those that were made at once, since what they are about is gone in the end.
    """

    letters: list[Letter] = field(default_factory=list)
    mailings: list[Mailing] = field(default_factory=list)
    strays: dict[str, str] = field(default_factory=dict)
    kills: Counter[Kind] = field(default_factory=Counter)
    endings: Counter[Kind] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, record: Letter | Mailing) -> None:
        """Write down what is about to be asked."""
        with self._lock:
            (self.letters if isinstance(record, Letter) else self.mailings).append(record)

    def reserve_letter(self, *kinds: Kind) -> Letter | None:
        """Find an acknowledged letter that nobody else needs, the newest, and keep it for one."""
        with self._lock:
            for letter in reversed(self.letters):
                is_free = letter.message_id and not letter.is_reserved and not letter.purged
                if letter.kind in kinds and is_free:
                    letter.is_reserved = True
                    return letter
        return None

    def list_copies(self) -> Iterator[tuple[Letter, str]]:
        """List the acknowledged letters with each e-Box that has them, the purged ones too."""
        with self._lock:
            for letter in self.letters:
                if letter.message_id:
                    yield letter, letter.ebox
            for mailing in self.mailings:
                if mailing.is_acknowledged:
                    for recipient in mailing.recipients:
                        yield mailing.letter, recipient

    def count_answers(self, kind: Kind) -> tuple[int, int]:
        """Count what was acknowledged, and what nobody was answered."""
        if kind is Kind.BROADCAST:
            answers = [mailing.is_acknowledged for mailing in self.mailings]
        elif kind in BY_HTTP:
            answers = [bool(each.message_id) for each in self.letters if each.kind is kind]
        else:
            return self.endings[kind], self.kills[kind]
        return sum(answers), len(answers) - sum(answers)
