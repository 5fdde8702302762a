"""Harm that is done on purpose, to a message of its own each time, for the judge to find."""

from typing import Any

from registry.blobs.objects import QUARANTINE
from registry.domain.document_keys import RECORDS
from tests.journeys.ledger.book import Letter, Mailing
from tests.journeys.ledger.callers import write_mailing, write_publication
from tests.journeys.ledger.house import LedgerHouse
from tests.journeys.ledger.time_passes import let_expire
from tests.trail_entries import read_trail


class Sabotage:
    """Does harm by SQL and by S3, past the registry; each gives what it is done to."""

    def __init__(self, house: LedgerHouse):
        self.house = house
        self.client: Any = house.service.objects.client()
        self.bucket = house.service.objects.bucket

    def delete_a_message(self) -> str:
        letter = self._publish()
        self._execute("DELETE FROM messages WHERE message_id = %s", letter)
        return str(letter.message_id)

    def delete_a_row_of_a_document(self) -> str:
        letter = self._publish()
        self._execute("DELETE FROM attachments WHERE message_id = %s AND position = 0", letter)
        return str(letter.message_id)

    def delete_an_object(self) -> str:
        letter = self._publish()
        self.client.delete_object(Bucket=self.bucket, Key=self._find_key(letter))
        return str(letter.message_id)

    def delete_a_record(self) -> str:
        letter = self._publish()
        self.client.delete_object(Bucket=self.bucket, Key=f"{RECORDS}{letter.message_id}")
        return str(letter.message_id)

    def cut_an_object(self) -> str:
        letter = self._publish()
        self._rewrite(letter, lambda content: content[:-1])
        return str(letter.message_id)

    def change_an_object(self) -> str:
        letter = self._publish()
        self._rewrite(letter, lambda content: content[:-1] + bytes([content[-1] ^ 1]))
        return str(letter.message_id)

    def leave_an_object_of_nobody(self) -> str:
        key = "documents/00000000-0000-4000-8000-000000000000-1"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=b"%PDF-1.7\n")
        return key

    def drop_an_event(self) -> str:
        letter = self._publish()
        self._execute("DELETE FROM outbox WHERE message_id = %s", letter)
        return str(letter.message_id)

    def tell_an_event_twice(self) -> str:
        letter = self._publish()
        self._execute(_SECOND_EVENT, letter)
        return str(letter.message_id)

    def take_a_broadcast_from_somebody(self) -> str:
        mailing = self._broadcast()
        self.house.owner.execute(
            "DELETE FROM messages WHERE message_id = %s AND ebox = %s",
            (mailing.letter.message_id, mailing.recipients[5]),
        )
        return str(mailing.letter.message_id)

    def leave_a_broadcast_unfinished(self) -> str:
        mailing = self._broadcast()
        self._execute(
            "UPDATE broadcasts SET finished_at = NULL WHERE message_id = %s", mailing.letter
        )
        return str(mailing.letter.message_id)

    def forget_a_broadcast(self) -> str:
        mailing = self._broadcast()
        self._execute("DELETE FROM broadcasts WHERE message_id = %s", mailing.letter)
        return str(mailing.letter.message_id)

    def delete_a_proof(self) -> str:
        letter = self._purge()
        self._execute("DELETE FROM deletions WHERE message_id = %s", letter)
        return str(letter.message_id)

    def put_a_purged_document_back(self) -> str:
        letter = self._purge()
        key = f"documents/{letter.message_id}-1"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=b"%PDF-1.7\n")
        return str(letter.message_id)

    def delete_an_entry_of_the_trail(self) -> str:
        letter = self._publish()
        for row in read_trail(self.house.owner, str(letter.message_id)):
            statement = "DELETE FROM audit_entries WHERE entry_number = %s"
            self.house.owner.execute(statement, (row.entry_number,))
        return str(letter.message_id)

    def delete_a_stray_from_quarantine(self) -> str:
        key = min(self.house.book.strays)
        self.client.delete_object(Bucket=self.bucket, Key=QUARANTINE + key)
        return key

    def _publish(self) -> Letter:
        house = self.house
        request = write_publication(house.rng, is_small=True)
        house.book.add(request.letter)
        request.letter.is_reserved = True
        assert request.send(house.http.quiet_door.port, house.http.tokens)
        return request.letter

    def _broadcast(self) -> Mailing:
        request = write_mailing(self._publish())
        self.house.book.add(request.mailing)
        assert request.send(self.house.http.quiet_door.port, self.house.http.tokens)
        return request.mailing

    def _purge(self) -> Letter:
        letter = self._publish()
        letter.purged.add(letter.ebox)
        self.house.settlement.tell_all()  # before, nothing of it is purged
        let_expire(self.house.owner, str(letter.message_id), letter.purged)
        self.house.settlement.run("jobs", "purge")
        return letter

    def _rewrite(self, letter: Letter, change: Any) -> None:
        key = self._find_key(letter)
        content = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        self.client.put_object(Bucket=self.bucket, Key=key, Body=change(content))

    def _find_key(self, letter: Letter) -> str:
        rows = self._execute("SELECT blob_key FROM attachments WHERE message_id = %s", letter)
        return str(rows.fetchone()[0])

    def _execute(self, statement: str, letter: Letter) -> Any:
        return self.house.owner.execute(statement.encode(), (letter.message_id,))


_SECOND_EVENT = """
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at)
SELECT ebox, gen_random_uuid(), type, message_id, due_at FROM outbox WHERE message_id = %s
"""
