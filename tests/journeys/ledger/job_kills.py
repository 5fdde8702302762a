"""Kills of the worker while it purges, seals and delivers, and of `registry fsck`."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import psycopg

from registry.domain.document_keys import make_key, make_record_key
from registry.sandbox.servers.postgres import SUPERUSER, WORKER
from tests.journeys.ledger.book import Book, Kind, Letter, Mailing
from tests.journeys.ledger.callers import digest
from tests.journeys.ledger.command_kills import Command, CommandKills
from tests.journeys.ledger.time_passes import let_expire
from tests.service import Service

_COPIES: Final = 150  # of a broadcast that expire at once: more than a batch of the purge
_WHOLE: Final = 0.03  # the part of purges before which all of a broadcast expires
_STRAYS: Final = 2
_WAITING: Final = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND claimed_until IS NULL"


@dataclass
class JobKills:
    """Work that is done beside the API; `publish` brings so many small publications."""

    book: Book
    service: Service
    owner: psycopg.Connection
    commands: CommandKills
    publish: Callable[[int], None]
    rng: random.Random

    def prepare(self, kind: Kind) -> Command:
        """Bring work of this kind, and give the command that does it."""
        if kind is Kind.PURGE:
            self._let_expire()
        elif kind is Kind.FSCK:
            self._put_strays()
            return self.make_fsck(is_deep=self.rng.random() < 0.5)
        elif kind is Kind.DELIVER and self._count_waiting() < 2:
            self.publish(2)
        elif kind is Kind.SEAL:
            self.publish(1)
        return self.make_job("worker", "--once", "--only", kind.value)

    def make_job(self, *words: str, codes: tuple[int, ...] = (0,)) -> Command:
        """A command of the worker's role on the service's database."""
        return Command(words, self.service.env, self.service.cluster.url(SUPERUSER), WORKER, codes)

    def make_fsck(self, *, is_deep: bool, codes: tuple[int, ...] = (0,)) -> Command:
        """The check that repairs; the deep one goes on from where it was killed."""
        state = self.service.area / "fsck.json"
        more = ["--deep", "--state", str(state)] if is_deep else []
        return self.make_job("fsck", "--repair", "--older-than", "0", *more, codes=codes)

    def expire_broadcast(self) -> None:
        """Let all copies of a broadcast expire, the first one too, and with them its record."""
        if mailing := self._choose_mailing():
            self._expire(mailing.letter, {*mailing.recipients, mailing.letter.ebox})

    def _let_expire(self) -> None:
        """A letter or two, and copies of a broadcast; now and then all of it."""
        for _ in range(self.rng.choice((1, 2, 2))):
            if letter := self.book.reserve_letter(Kind.REPLY, Kind.PUBLICATION):
                self._expire(letter, {letter.ebox})
        if self.rng.random() < _WHOLE:
            self.expire_broadcast()
        elif mailing := self._choose_mailing():
            rest = [each for each in mailing.recipients if each not in mailing.letter.purged]
            # Not of the garage, which reads its copy in the end.
            self._expire(mailing.letter, set(rest[:-1][:_COPIES]))

    def _choose_mailing(self) -> Mailing | None:
        mailings = [mailing for mailing in self.book.mailings if mailing.is_acknowledged]
        return self.rng.choice(mailings) if mailings else None

    def _expire(self, letter: Letter, eboxes: set[str]) -> None:
        letter.purged |= eboxes
        let_expire(self.owner, str(letter.message_id), eboxes)

    def _put_strays(self) -> None:
        """Objects of nobody, as a database leaves them that is older than its bucket."""
        client = self.service.objects.client()
        for _ in range(_STRAYS):
            message_id = uuid4()
            for key in (make_key(message_id, 1), make_record_key(message_id)):
                content = self.rng.randbytes(self.rng.randrange(1, 100_000))
                self.book.strays[key] = digest(content)
                client.put_object(Bucket=self.service.objects.bucket, Key=key, Body=content)
        client.close()

    def _count_waiting(self) -> int:
        row = self.owner.execute(_WAITING).fetchone()
        return int(row[0]) if row else 0
