"""Settlement: what workers and operators do when nobody is killed any more, before the judge."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from registry.blobs.objects import QUARANTINE
from tests.journeys.ledger.book import Book, Finding, Harm, Kind
from tests.journeys.ledger.callers import digest
from tests.journeys.ledger.command_kills import CommandKills
from tests.journeys.ledger.job_kills import JobKills
from tests.journeys.ledger.time_passes import end_leases
from tests.service import Service

_PATIENCE: Final = 180.0  # seconds
_WAITING: Final = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND due_at <= now()"
_UNSEALED: Final = "SELECT count(*) FROM audit_seals WHERE stored_at IS NULL"


@dataclass
class Settlement:
    """Has all work done that is left, and has the registry's own checks say what they find."""

    book: Book
    service: Service
    owner: psycopg.Connection
    commands: CommandKills
    jobs: JobKills

    def settle(self) -> None:
        """Do everything that is still to be done; all leases of the dead are over."""
        end_leases(self.owner)
        self.run("worker", "--once", "--only", "broadcast")
        self.tell_all()
        self.jobs.expire_broadcast()
        for words in (("jobs", "purge"), ("jobs", "sweep", "--older-than", "0")):
            self.run(*words)
        self.commands.run_patiently(
            self.jobs.make_fsck(is_deep=True, codes=(0, 1))
        )  # of a killed one's state
        self.commands.run_patiently(self.jobs.make_fsck(is_deep=False))
        self.run("worker", "--once", "--only", "seal")

    def tell_all(self) -> None:
        """Deliver until no event waits."""
        deadline = time.monotonic() + _PATIENCE
        while self._count(_WAITING) and time.monotonic() < deadline:
            self.run("worker", "--once", "--only", "deliver")

    def check(self) -> list[Finding]:
        """Find what `registry audit verify` and `registry fsck` find, and strays that are lost."""
        verdict = self._run_json("audit", "verify")
        findings = [
            Finding(Kind.SEAL, Harm.HALF, str(each.get("seal")), each["detail"])
            for each in (*verdict["findings"], *verdict["breaks"])
        ]
        if self._count(_UNSEALED):
            findings.append(Finding(Kind.SEAL, Harm.HALF, "seals", "a seal is not stored"))
        check = self._run_json("fsck", "--deep", "--older-than", "0")
        if not check["isSound"]:
            detail = json.dumps(check["findings"])
            findings.append(Finding(Kind.FSCK, Harm.HALF, "storage", detail))
        return [*findings, *self._find_lost_strays()]

    def _find_lost_strays(self) -> list[Finding]:
        """What nobody knew was moved aside, and nothing of it is gone."""
        client = self.service.objects.client()
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self.service.objects.bucket, Prefix=QUARANTINE
        )
        there = {}
        for page in pages:
            for each in page.get("Contents", ()):
                answer = client.get_object(Bucket=self.service.objects.bucket, Key=each["Key"])
                there[each["Key"]] = digest(answer["Body"].read())
        client.close()
        return [
            Finding(Kind.FSCK, Harm.LOST, key, "a stray is in quarantine no more")
            for key, value in self.book.strays.items()
            if there.get(QUARANTINE + key) != value
        ]

    def run(self, *words: str) -> None:
        """Run `registry` to its end."""
        self.commands.run_patiently(self.jobs.make_job(*words))

    def _run_json(self, *words: str) -> Any:
        """The last JSON object that a check prints, whatever it finds."""
        command = self.jobs.make_job(*words, "--json", codes=(0, 1))
        return _parse_last(self.commands.run_patiently(command))

    def _count(self, query: str) -> int:
        row = self.owner.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


def _parse_last(text: str) -> Any:
    """Parse the last JSON object of an output, which may be over several lines."""
    lines = [line for line in text.splitlines() if not line.startswith("Error:")]
    starts = [number for number, line in enumerate(lines) if line.startswith("{")]
    return json.loads("\n".join(lines[starts[-1] :]))
