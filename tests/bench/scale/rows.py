"""Rows of messages and of all that hangs on them, in the text that COPY reads."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.bench.scale.eboxes import FilledEbox
from tests.bench.scale.letters import list_letters

# The columns are those of revision 0015, to which databases are filled before they are migrated.
COLUMNS: Final = {
    "messages": "ebox, message_id, received_at, expires_at, read_at, is_visible, is_registered,"
    " is_reply_authorized, partition, message_type_id, sender, sender_application_id, subject,"
    " business_data, action_id, action_label, is_reminded, is_alerted",
    "attachments": "ebox, message_id, attachment_id, position, file_name, is_main, media_type,"
    " size, digest, is_signed, blob_key",
    "search_texts": "ebox, message_id, nl, fr, de",
    "sent_messages": "ebox, message_id, partition, recipient, application_id, idempotency_key",
    "outbox": "ebox, correlation_id, type, message_id, due_at, state, attempts, settled_at",
}
_NULL: Final = "\\N"
_TAB: Final = "\t"
_DAYS: Final = 400  # over which they were received
_KEPT: Final = timedelta(days=900)  # nothing expires while it is measured
_PARTITIONS: Final = ("GENERAL",) * 8 + ("HR",) + ("FINANCE",)
_FILES: Final = (1, 1, 1, 1, 1, 1, 2, 2, 2, 3)  # 1.5 of a message
_BUSINESS: Final = '[{"key":"dossier","values":[{"nl":"%s","fr":"%s","de":"%s"}]}]'
_ACTION: Final = '{"nl":"Betalen","fr":"Payer","de":"Zahlen"}'


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is in storage, as a row of `attachments` says it."""

    key: str
    size: int
    digest: str


@dataclass(slots=True)
class RowBatch:
    """Lines of some messages, by table."""

    lines: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    messages: int = 0


def make_batches(
    eboxes: list[FilledEbox], document: StoredDocument, now: datetime, size: int, seed: int
) -> Iterator[RowBatch]:
    """Make the rows of these e-Boxes, about `size` messages a batch; the same for the same seed."""
    writer = _Writer(random.Random(seed), document, now)
    for ebox in eboxes:
        for _ in range(ebox.messages):
            writer.add(ebox)
            if writer.batch.messages == size:
                yield writer.take()
    yield writer.take()


class _Writer:
    def __init__(self, chance: random.Random, document: StoredDocument, now: datetime) -> None:
        self.batch = RowBatch()
        self._chance, self._document, self._now = chance, document, now
        self._letters = list_letters()

    def take(self) -> RowBatch:
        batch, self.batch = self.batch, RowBatch()
        return batch

    def add(self, ebox: FilledEbox) -> None:
        """A message with its documents, texts, trace at the sender's and events."""
        draw = self._chance.random
        letter = self._letters[int(draw() * len(self._letters))]
        message_id = f"{self._chance.getrandbits(128):032x}"
        reference = f"{2025 + int(draw() * 2)}/{int(draw() * 1e6):06d}"
        received = self._now - timedelta(seconds=int(60 + draw() * _DAYS * 86_400))
        read = received + timedelta(hours=3) if draw() < 0.6 else None
        read_at = read.isoformat(" ") if read and read < self._now else _NULL
        partition = _PARTITIONS[int(draw() * 10)] if ebox.is_enterprise else _NULL
        key, at = f"{ebox.key}\t{message_id}", received.isoformat(" ")
        business = _BUSINESS % ((reference,) * 3) if draw() < 0.2 else _NULL
        action = f"pay\t{_ACTION}" if draw() < 0.03 else f"{_NULL}\t{_NULL}"
        lines = self.batch.lines
        lines["messages"].append(
            f"{key}\t{at}\t{(received + _KEPT).isoformat(' ')}\t{read_at}"
            f"\t{'f' if draw() < 0.03 else 't'}\t{'t' if draw() < 0.03 else 'f'}\tf\t{partition}"
            f"\t{letter.type}\t{letter.sender}\t{letter.application}"
            f"\t{letter.subject.replace('{}', reference)}\t{business}\t{action}\tt\tt\n"
        )
        texts = "\t".join(letter.searched).replace("{}", reference)
        found_by = "" if business == _NULL else f"\\n{reference}"
        texts = texts.replace(_TAB, found_by + _TAB)
        lines["search_texts"].append(f"{key}\t{texts}{found_by}\n")
        lines["sent_messages"].append(
            f"enterprise:{letter.sender}\t{message_id}\tGENERAL\t{ebox.key}"
            f"\t{letter.application}\t{message_id}\n"
        )
        self._add_files(key, reference)
        self._add_events(ebox.key, message_id, received)

    def _add_files(self, key: str, reference: str) -> None:
        document = self._document
        for number in range(_FILES[int(self._chance.random() * 10)]):
            self.batch.lines["attachments"].append(
                f"{key}\t{number + 1}\t{number}\tlettre-{reference.replace('/', '-')}-{number}.pdf"
                f"\t{'f' if number else 't'}\tapplication/pdf\t{document.size}\t{document.digest}"
                f"\tf\t{document.key}\n"
            )
        self.batch.messages += 1

    def _add_events(self, ebox: str, message_id: str, received: datetime) -> None:
        for kind in ("newDocument", "readDocument")[: 2 if self._chance.random() < 0.6 else 1]:
            self.batch.lines["outbox"].append(
                f"{ebox}\t{self._chance.getrandbits(128):032x}\t{kind}\t{message_id}\t{received}"
                f"\ttold\t1\t{received}\n"
            )


def today() -> datetime:
    """The instant to which the ages of messages are relative."""
    return datetime.now(UTC).replace(microsecond=0)
