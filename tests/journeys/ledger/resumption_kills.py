"""Kills of `registry audit resume`, on a trail that is restored from a backup again and again."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import psycopg
from sqlalchemy import create_engine

from registry import migrations
from registry.audit.log import write_timestamp
from registry.audit.store import entries
from registry.audit.trail.entry import Entry
from registry.domain.errors import Unavailable
from registry.sandbox.servers.postgres import APPLICATION_ROLE, OWNER, SUPERUSER, WORKER, Cluster
from registry.sandbox.servers.seaweed import ObjectStore
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from registry.wiring.worker import assemble_worker
from tests.journeys.ledger.book import Finding, Harm, Kind
from tests.journeys.ledger.command_kills import Command, CommandKills
from tests.trail_entries import read_trail

_NOTHING: Final = "There is nothing to resume"
_PATIENCE: Final = 120  # seconds


@dataclass
class ResumptionKills:
    """One trail, whose database is set back before each kill, beside a bucket that is not.

    `survivors` are the names of entries that every restore must have left.
    """

    cluster: Cluster
    objects: ObjectStore
    commands: CommandKills
    environment: dict[str, str]
    survivors: set[str] = field(default_factory=set)
    restores: int = 0
    _name: str = ""

    def __post_init__(self):
        self._bucket = f"seals-{uuid4().hex[:12]}"
        self.objects.create_bucket(self._bucket, has_object_lock=True)
        self._name = "trail_0"
        self.cluster.create_database(self._name)
        engine = create_engine(self.cluster.url("owner", self._name))
        migrations.upgrade(engine, APPLICATION_ROLE)
        engine.dispose()
        services = assemble_worker(Settings.load(self._env))
        services.dispose()
        self._sealer = services.sealer

    def calibrate(self) -> None:
        """Resume once with nobody killed."""
        self.commands.run(self.prepare(), name="resume")
        self.go_on()

    def prepare(self) -> Command:
        """Restore a backup of a moment ago, and give the command that is needed then."""
        self.survivors |= self._write(3)
        self._seal(3)
        backup = f"trail_{uuid4().hex[:12]}"
        self.cluster.create_database(backup, template=self._name)
        for count in (2, 1):
            self._write(count)
            self._seal(count)
        self.cluster.drop_database(self._name)
        self._name = backup
        self.restores += 1
        self.survivors |= self._write(1)
        return self.make_command("audit", "resume", "--reason", f"restore {self.restores}")

    def finish(self) -> list[Finding]:
        """Type it again, as an operator does who does not know how far it came."""
        command = self.make_command("audit", "resume", "--reason", "once more", codes=(0, 1))
        text = self.commands.run_patiently(command)
        if "is the break" not in text and _NOTHING not in text:
            return [Finding(Kind.RESUME, Harm.HALF, "trail", f"cannot be resumed: {text}")]
        self.go_on()
        return []

    def go_on(self) -> None:
        """Seal what was written before and since."""
        self.survivors |= self._write(1)
        self._seal(1)

    def judge(self) -> list[Finding]:
        """All entries that must be there are, and the trail is whole but for a break a restore."""
        with psycopg.connect(self.cluster.url(SUPERUSER, self._name)) as connection:
            names = {_read_name(row.entry) for row in read_trail(connection)}
        findings = [
            Finding(Kind.RESUME, Harm.LOST, name, "an entry is not there")
            for name in sorted(self.survivors - names)
        ]
        text = self.commands.run_patiently(
            self.make_command("audit", "verify", "--json", codes=(0, 1))
        )
        verdict = json.loads(text[: text.rindex("}") + 1])
        if not verdict["isIntact"] or verdict["unsealed"]:
            detail = f"{len(verdict['findings'])} findings, {verdict['unsealed']} unsealed"
            findings.append(Finding(Kind.RESUME, Harm.HALF, "trail", detail))
        if len(verdict["breaks"]) != self.restores:
            detail = f"{len(verdict['breaks'])} breaks for {self.restores} restores"
            findings.append(Finding(Kind.RESUME, Harm.HALF, "breaks", detail))
        return findings

    def lose_survivor(self) -> None:
        """Delete an entry that is to be there, as somebody who is not the registry."""
        with psycopg.connect(self.cluster.url(SUPERUSER, self._name)) as connection:
            for row in read_trail(connection, min(self.survivors)):
                statement = b"DELETE FROM audit_entries WHERE entry_number = %s"
                connection.execute(statement, (row.entry_number,))

    def make_command(self, *words: str, codes: tuple[int, ...] = (0,)) -> Command:
        watch = self.cluster.url(SUPERUSER, self._name)
        return Command(words, self._env, watch, OWNER, codes)

    @property
    def _env(self) -> dict[str, str]:
        def url(user: str) -> str:
            return self.cluster.url(user, self._name)

        return {
            **self.environment,
            "REGISTRY_DATABASE_URL": url("application"),
            "REGISTRY_DATABASE_OWNER_URL": url("owner"),
            "REGISTRY_DATABASE_WORKER_URL": url(WORKER),
            "REGISTRY_AUDIT_BUCKET": self._bucket,
        }

    def _write(self, count: int) -> set[str]:
        """Write entries in one transaction; gives their names."""
        engine = make_engine(Settings.load(self._env))
        names = {f"/entries/{uuid4()}" for _ in range(count)}
        with Transactions(engine)() as connection:
            for name in names:
                entries.add_entry(connection, _make_entry(name))
        engine.dispose()
        return names

    def _seal(self, least: int) -> None:
        """Seal so many entries at least; whoever was killed may hold that up for a moment."""
        engine = make_engine(Settings.load(self._env), "worker")
        sealer = replace(self._sealer, transactions=Transactions(engine, find_worker_fault))
        deadline, count = time.monotonic() + _PATIENCE, 0
        try:
            while count < least:
                with suppress(Unavailable):  # a slow machine has calls time out
                    count += sealer.seal()
                if time.monotonic() > deadline:
                    raise AssertionError("Entries are never sealed.")
        finally:
            engine.dispose()


def _make_entry(name: str) -> Entry:
    return Entry(
        timestamp=write_timestamp(datetime.now(UTC)),
        token_hash=None,
        client_id="ledger",
        method="GET",
        url=name,
        status=200,
        details={},
    )


def _read_name(text: str) -> str:
    name: str = json.loads(text)["API_CALL_REQUEST_URL"]
    return name
