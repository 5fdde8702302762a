"""Kills of `registry database migrate`, each of a small database of its own at some revision."""

import random
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import psycopg
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from registry import migrations
from registry.sandbox.servers.postgres import APPLICATION_ROLE, OWNER, SUPERUSER, Cluster
from tests.journeys.ledger.book import Finding, Harm, Kind
from tests.journeys.ledger.command_kills import Command, CommandKills, Failed
from tests.journeys.ledger.database_shape import read_shape

EMPTY: Final = "empty"
_ROWS: Final = 300
# In the words of the first revision, which all later ones understand.
_PLANT: Final = f"""
INSERT INTO message_types (message_type_id, name, validity_number, validity_unit, folded_nl,
  folded_fr, folded_de) VALUES ('letter', '{{}}', 90, 'day', '', '', '');
INSERT INTO messages (ebox, message_id, received_at, expires_at, is_registered, is_reply_authorized,
  partition, message_type_id, sender, subject)
SELECT 'enterprise:' || n, gen_random_uuid(), now(), now() + interval '90 days', false, false,
  'GENERAL', 'letter', '0308357159', '{{}}' FROM generate_series(1, {_ROWS}) n;
INSERT INTO search_texts (ebox, message_id, nl, fr, de)
SELECT ebox, message_id, 'brief', 'lettre', 'brief' FROM messages;
INSERT INTO outbox (ebox, correlation_id, type, message_id, due_at)
SELECT ebox, gen_random_uuid(), 'newDocument', message_id, now() FROM messages;
"""  # noqa: S608 - a number of our own
_READ: Final = """
SELECT md5(string_agg(concat_ws(' ', m.ebox, m.message_id, m.received_at, s.nl, o.correlation_id),
  ',' ORDER BY m.message_id)), count(*)
FROM messages m JOIN search_texts s USING (ebox, message_id) JOIN outbox o USING (ebox, message_id)
"""


@dataclass
class MigrationKills:
    """Copies of databases at each revision, and what comes of them when a migration is killed."""

    cluster: Cluster
    commands: CommandKills
    environment: dict[str, str]
    rng: random.Random
    _shape: frozenset[str] = frozenset()
    _patterns: dict[str, tuple[str, object]] = field(default_factory=dict)

    def calibrate(self) -> None:
        """Migrate one of each kind with nobody killed; the shape that comes of it is the right one.

        From nothing all revisions are done, so that the last one must be of the same shape.
        """
        name = self.copy(EMPTY)
        self.commands.run(self.make_command(name), name=f"migrate {EMPTY}")
        self._shape = self.read_shape(name)
        self.cluster.drop_database(name)

    def choose_revision(self) -> str:
        """Choose where to start from: nothing, or any revision but the newest."""
        folder = migrations.__path__[0]
        revisions = [each.revision for each in ScriptDirectory(folder).walk_revisions()]
        return self.rng.choice([EMPTY, *revisions[1:]])

    def copy(self, revision: str) -> str:
        """A database of its own at a revision, with rows in it unless it is empty."""
        pattern, _ = self._find_pattern(revision)
        name = f"copy_{uuid4().hex[:12]}"
        self.cluster.create_database(name, template=pattern)
        return name

    def make_command(self, name: str) -> Command:
        urls = {"REGISTRY_DATABASE_OWNER_URL": self.cluster.url("owner", name)}
        words = ("database", "migrate")
        watch = self.cluster.url(SUPERUSER, name)
        return Command(words, {**self.environment, **urls}, watch, OWNER)

    def judge(self, name: str, revision: str) -> list[Finding]:
        """Migrate again, as an operator does, and see if all is there, in the right shape."""
        try:
            self.commands.run_patiently(self.make_command(name))
        except Failed as error:
            return [Finding(Kind.MIGRATE, Harm.HALF, revision, f"cannot go on: {error}")]
        findings = []
        _, rows = self._find_pattern(revision)
        if self.read_rows(name) != rows:
            detail = "rows are not what they were"
            findings.append(Finding(Kind.MIGRATE, Harm.LOST, revision, detail))
        if strange := self.read_shape(name) ^ self._shape:
            detail = f"{len(strange)} parts differ, such as {min(strange)}"
            findings.append(Finding(Kind.MIGRATE, Harm.HALF, revision, detail))
        return findings

    def execute(self, name: str, statement: str) -> None:
        """As somebody who is not the registry."""
        with psycopg.connect(self.cluster.url(SUPERUSER, name)) as connection:
            connection.execute(statement.encode())

    def read_rows(self, name: str) -> object:
        with psycopg.connect(self.cluster.url(SUPERUSER, name)) as connection:
            return connection.execute(_READ).fetchone()

    def read_shape(self, name: str) -> frozenset[str]:
        with psycopg.connect(self.cluster.url(SUPERUSER, name)) as connection:
            return read_shape(connection)

    def _find_pattern(self, revision: str) -> tuple[str, object]:
        """The database that is copied, made when it is needed first, and what its rows are."""
        if revision not in self._patterns:
            name = f"pattern_{revision}"
            self.cluster.create_database(name)
            self._fill(name, revision)
            rows = (None, 0) if revision == EMPTY else self.read_rows(name)
            self._patterns[revision] = name, rows
        return self._patterns[revision]

    def _fill(self, name: str, revision: str) -> None:
        if revision == EMPTY:
            return
        engine = create_engine(self.cluster.url("owner", name))
        migrations.upgrade(engine, APPLICATION_ROLE, "0001")
        with psycopg.connect(self.cluster.url(SUPERUSER, name), autocommit=True) as connection:
            connection.execute(_PLANT.encode())
        migrations.upgrade(engine, APPLICATION_ROLE, revision)
        engine.dispose()
