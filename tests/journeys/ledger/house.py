"""The house of the ledger: the service, its doors, and databases beside it; and the whole run."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

import psycopg

from registry.domain.pseudonyms import Pseudonyms
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from tests.journeys.ledger.book import BESIDE, BY_HTTP, BY_JOB, Book, Finding, Harm, Kind
from tests.journeys.ledger.callers import Refused, Tokens
from tests.journeys.ledger.command_kills import CommandKills
from tests.journeys.ledger.doors import Door
from tests.journeys.ledger.evidence import gather
from tests.journeys.ledger.http_kills import HttpKills
from tests.journeys.ledger.job_kills import JobKills
from tests.journeys.ledger.judge import Judge
from tests.journeys.ledger.migration_kills import MigrationKills
from tests.journeys.ledger.moments import Moments
from tests.journeys.ledger.resumption_kills import ResumptionKills
from tests.journeys.ledger.settlement import Settlement
from tests.service import Service

_DOORS: Final = 3
_ATTEMPTS: Final = 5

Report = Callable[[str], None]


@dataclass
class LedgerHouse:
    """Everything that is killed, and the book of those who are not."""

    service: Service
    owner: psycopg.Connection
    http: HttpKills
    jobs: JobKills
    commands: CommandKills
    migrations: MigrationKills
    resumptions: ResumptionKills
    settlement: Settlement
    book: Book
    rng: random.Random

    def run(self, count: int, report: Report) -> None:
        """Kill so many processes, as many during each kind of work."""
        self._calibrate()
        report("Each kind of work was measured.")
        shares = {kind: count // len(Kind) for kind in Kind}
        for kind in list(Kind)[: count % len(Kind)]:
            shares[kind] += 1
        lanes = (
            (BY_HTTP, self.http.kill),
            (BY_JOB, self._kill_command),
            (BESIDE, self._kill_command),
        )
        plans = [self._plan({kind: shares[kind] for kind in kinds}) for kinds, _ in lanes]
        with ThreadPoolExecutor(len(lanes)) as pool:
            runs = [
                pool.submit(self._run_lane, plan, kill, report)
                for plan, (_, kill) in zip(plans, lanes, strict=True)
            ]
            for run in runs:
                run.result()
        self.settlement.settle()
        self.book.findings += self.resumptions.judge()

    def judge(self) -> list[Finding]:
        """Judge all that is there now."""
        port = self.http.quiet_door.wait_ready()
        evidence = gather(self.service, self.owner, port, self.book)
        pseudonyms = Pseudonyms(self.service.env["REGISTRY_HASH_KEY"])
        return [*Judge(self.book, evidence, pseudonyms).judge(), *self.settlement.check()]

    def _calibrate(self) -> None:
        self.http.calibrate()
        for kind in (Kind.DELIVER, Kind.SEAL, Kind.PURGE, Kind.FSCK):  # there is work for each
            self.commands.run(self.jobs.prepare(kind), name=kind)
            self.book.endings[kind] += 1
        self.migrations.calibrate()
        self.resumptions.calibrate()

    def _plan(self, shares: dict[Kind, int]) -> list[list[tuple[Kind, float]]]:
        """Rounds: in each, every kind of work once, in a new order, and the moment of the kill."""
        moments = [
            [(kind, moment) for moment in Moments(self.rng, share)]
            for kind, share in shares.items()
        ]
        rounds = [[each for each in together if each] for together in zip_longest(*moments)]
        for together in rounds:
            self.rng.shuffle(together)
        return rounds

    def _run_lane(
        self,
        rounds: list[list[tuple[Kind, float]]],
        kill: Callable[[Kind, float], None],
        report: Report,
    ) -> None:
        for number, together in enumerate(rounds, 1):
            for kind, moment in together:
                self._kill_patiently(kill, kind, moment, report)
            if number % 10 == 0:
                report(f"{sum(self.book.kills.values())} processes were killed.")

    def _kill_patiently(
        self, kill: Callable[[Kind, float], None], kind: Kind, moment: float, report: Report
    ) -> None:
        """Kill one process; a mishap of ours, on a slow machine, does not end a run of hours."""
        for _ in range(_ATTEMPTS):
            try:
                kill(kind, moment)
            except Refused as error:
                self.book.findings.append(Finding(kind, Harm.HALF, "a caller", str(error)))
            except Exception as error:  # noqa: BLE001 - it is reported, and tried again
                report(f"A mishap at {kind}: {error!r}")
            else:
                return
        raise AssertionError(f"No process can be killed during {kind}.")

    def _kill_command(self, kind: Kind, fraction: float) -> None:
        strike = {Kind.MIGRATE: self._kill_migration, Kind.RESUME: self._kill_resumption}
        is_killed = False
        while not is_killed:
            is_killed = strike.get(kind, self._kill_job)(kind, fraction)
            self.book.endings[kind] += not is_killed
            fraction = Moments.draw_earlier(fraction)
        self.book.kills[kind] += 1

    def _kill_job(self, kind: Kind, fraction: float) -> bool:
        return self.commands.kill(self.jobs.prepare(kind), kind, fraction)

    def _kill_migration(self, kind: Kind, fraction: float) -> bool:
        revision = self.migrations.choose_revision()
        name = self.migrations.copy(revision)
        command = self.migrations.make_command(name)
        is_killed = self.migrations.commands.kill(command, f"{kind} {revision}", fraction)
        self.book.findings += self.migrations.judge(name, revision)
        self.migrations.cluster.drop_database(name)
        return is_killed

    def _kill_resumption(self, kind: Kind, fraction: float) -> bool:
        try:
            return self.resumptions.commands.kill(self.resumptions.prepare(), kind, fraction)
        finally:
            self.book.findings += self.resumptions.finish()


@contextmanager
def open_house(area: Path, seed: int) -> Iterator[LedgerHouse]:
    """Start everything; a second database server is for what is migrated or restored."""
    book = Book()
    side = Cluster(area / "side")
    with Service(area, durable=True) as service, side:
        rng = random.Random(seed)
        url = service.cluster.url(SUPERUSER)
        quiet_door, *doors = [Door(service, f"door-{number}") for number in range(_DOORS + 1)]
        with ExitStack() as stack:
            for door in (quiet_door, *doors):
                stack.callback(door.close)
            owner = stack.enter_context(psycopg.connect(url, autocommit=True))
            # Each lane draws for itself.
            http_rng, jobs_rng, side_rng = (random.Random(rng.random()) for _ in range(3))
            http = HttpKills(book, Tokens(service), doors, quiet_door, http_rng)
            commands, beside = CommandKills(area), CommandKills(area / "side")
            jobs = JobKills(book, service, owner, commands, http.publish, jobs_rng)
            yield LedgerHouse(
                service=service,
                owner=owner,
                http=http,
                jobs=jobs,
                commands=commands,
                migrations=MigrationKills(side, beside, service.env, side_rng),
                resumptions=ResumptionKills(side, service.objects, beside, service.env),
                settlement=Settlement(book, service, owner, commands, jobs),
                book=book,
                rng=rng,
            )
