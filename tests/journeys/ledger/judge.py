"""The judge: holds the book against the evidence, and finds all that was lost, half or unannounced.

Whoever got no answer may have his message or not, but never half of it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from registry.blobs.objects import QUARANTINE
from registry.domain.document_keys import RECORDS, find_message_id
from registry.domain.identifiers import Ebox
from registry.domain.pseudonyms import Pseudonyms
from tests.journeys.ledger.book import Book, Finding, Harm, Kind, Letter
from tests.journeys.ledger.evidence import Copy, Evidence


@dataclass
class Judge:
    """Judges all messages by what their senders know of them."""

    book: Book
    evidence: Evidence
    pseudonyms: Pseudonyms

    def judge(self) -> list[Finding]:
        """Find every harm."""
        return [
            *self.book.findings,
            *self._judge_letters(),
            *self._judge_mailings(),
            *self._judge_strangers(),
            *self._judge_objects(),
        ]

    def _judge_letters(self) -> Iterator[Finding]:
        for letter in self.book.letters:
            if message_id := self._find_id(letter):
                harm = Harm.LOST if letter.message_id else Harm.HALF
                yield from self._judge_copy(letter, letter.kind, letter.ebox, harm)
                yield from self._judge_entries(letter, message_id)

    def _judge_entries(self, letter: Letter, message_id: str) -> Iterator[Finding]:
        """Each call has an entry of the audit trail, and each copy that was purged."""
        entries, broadcasts = self.evidence.entries, self.evidence.broadcasts
        mailings = [each for each in self.book.mailings if each.letter is letter]
        calls = 1 + sum(each.is_acknowledged or each.key in broadcasts for each in mailings)
        if entries["POST", message_id] < calls:
            yield Finding(Kind.SEAL, Harm.LOST, message_id, "a call has no entry")
        if entries["DO", message_id] < len(letter.purged):
            yield Finding(Kind.SEAL, Harm.LOST, message_id, "a purge has no entry")

    def _judge_mailings(self) -> Iterator[Finding]:
        for mailing in self.book.mailings:
            letter, message_id = mailing.letter, str(mailing.letter.message_id)
            is_finished = self.evidence.broadcasts.get(mailing.key)
            if is_finished is None and not mailing.is_acknowledged:
                if any((each, message_id) in self.evidence.messages for each in mailing.recipients):
                    yield Finding(Kind.BROADCAST, Harm.HALF, message_id, "of no broadcast")
                continue
            # Its record goes with the copy of the one that it was published to.
            if is_finished is None and letter.ebox not in letter.purged:
                yield Finding(Kind.BROADCAST, Harm.LOST, message_id, "it is not recorded")
            if is_finished is False:
                yield Finding(Kind.BROADCAST, Harm.HALF, message_id, "it is not finished")
            harm = Harm.LOST if mailing.is_acknowledged else Harm.HALF
            for recipient in mailing.recipients:
                yield from self._judge_copy(letter, Kind.BROADCAST, recipient, harm)

    def _judge_copy(self, letter: Letter, kind: Kind, ebox: str, harm: Harm) -> Iterator[Finding]:
        """Judge the message in one e-Box; `harm` is what it is when there is none of it."""
        copy = (ebox, str(self._find_id(letter)))
        if ebox in letter.purged:
            yield from self._judge_purged(letter, copy)
        elif copy not in self.evidence.messages:
            yield Finding(kind, harm, copy[1], f"{ebox} has not got it")
        else:
            yield from self._judge_wholeness(letter, kind, copy)
        count = self.evidence.events[copy]
        if not count:
            yield Finding(kind, Harm.UNANNOUNCED, copy[1], f"nobody was told of {ebox}")
        elif count > 1:
            yield Finding(Kind.DELIVER, Harm.HALF, copy[1], f"{ebox}: told {count} times")

    def _judge_wholeness(self, letter: Letter, kind: Kind, copy: Copy) -> Iterator[Finding]:
        evidence, (ebox, message_id) = self.evidence, copy
        documents = evidence.documents.get(copy, [])
        whole = Counter(letter.documents)
        faults = {
            "its rows are not its documents": Counter(each.document for each in documents) != whole,
            "it cannot be searched": copy not in evidence.texts,
            "its record is not there": f"{RECORDS}{message_id}" not in evidence.objects,
            "an object is not there, or not whole": any(
                evidence.objects.get(each.key) != each.document.size for each in documents
            ),
        }
        if copy in evidence.answers:
            answer = evidence.answers[copy]
            faults["its reader gets something else"] = answer is None or Counter(answer) != whole
        for detail, is_so in faults.items():
            if is_so:
                yield Finding(kind, Harm.HALF, message_id, f"{ebox}: {detail}")

    def _judge_purged(self, letter: Letter, copy: Copy) -> Iterator[Finding]:
        evidence, (ebox, message_id) = self.evidence, copy
        proof = evidence.proofs.get((self.pseudonyms.hash_ebox(Ebox.from_key(ebox)), message_id))
        is_gone = message_id not in self._message_ids
        faults = {
            "the message is still there": copy in evidence.messages,
            "its documents are": copy in evidence.documents,
            "its text is": copy in evidence.texts,
            "there is no proof": proof is None,
            "the proof is of something else": proof is not None
            and Counter(proof) != Counter(letter.documents),
            "objects are left": is_gone and message_id in self._object_ids,
        }
        for detail, is_so in faults.items():
            if is_so:
                yield Finding(Kind.PURGE, Harm.HALF, message_id, f"{ebox}: {detail}")

    def _judge_strangers(self) -> Iterator[Finding]:
        """Find messages and events of what nobody asked for."""
        evidence = self.evidence
        ids = {self._find_id(letter) for letter in self.book.letters}
        for _, message_id in evidence.messages:
            if message_id not in ids:
                yield Finding(Kind.PUBLICATION, Harm.HALF, message_id, "nobody asked for it")
        for copy in evidence.documents.keys() - evidence.messages:
            yield Finding(Kind.PUBLICATION, Harm.HALF, copy[1], "documents of no message")
        for _, message_id in evidence.events:
            if message_id not in ids:
                yield Finding(Kind.DELIVER, Harm.HALF, message_id, "an event of no message")

    def _judge_objects(self) -> Iterator[Finding]:
        """Find objects of nobody, those that were moved aside and are somebody's, and notes."""
        evidence = self.evidence
        keys = {each.key for documents in evidence.documents.values() for each in documents}
        strays = {QUARANTINE + key for key in self.book.strays}
        records = {f"{RECORDS}{message_id}" for message_id in self._message_ids}
        for key in evidence.objects.keys() - keys - records - strays:
            yield Finding(Kind.PUBLICATION, Harm.HALF, key, "an object of nobody")
        for key in evidence.erasures:
            yield Finding(Kind.PURGE, Harm.HALF, key, "it is never erased")
        if evidence.notes:
            yield Finding(Kind.PUBLICATION, Harm.HALF, "notes", f"{evidence.notes} are left")

    @cached_property
    def _message_ids(self) -> set[str]:
        return {message_id for _, message_id in self.evidence.messages}

    @cached_property
    def _object_ids(self) -> set[str]:
        """Messages that objects were uploaded for."""
        return {str(find_message_id(key)) for key in self.evidence.objects}

    def _find_id(self, letter: Letter) -> str | None:
        """The message that came of it, if any, though nobody was told."""
        return letter.message_id or self.evidence.ids.get(letter.key)
