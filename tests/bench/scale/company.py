"""People in the portal, alone and beside senders in bulk, a purge, a sweep and a peak."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from registry.sandbox.servers.processes import Process
from tests.bench.load import ratio
from tests.bench.scale.bench import Bench
from tests.bench.scale.generator import Answers, Generator, Load
from tests.bench.scale.profiles import script_portal, script_publishing, script_sweep
from tests.bench.scale.progress import say
from tests.bench.scale.served import ServedRegistry
from tests.bench.scale.verdicts import Comparison, Verdict

_PEOPLE, _PACE = 8, 5.0  # clients, and requests a second of each
_SENDERS: Final = 4
_WINDOW: Final = 4  # times as long as a round of one kind is elsewhere
_EXPIRED: Final = 100_000
_PATIENCE: Final = 120  # seconds until the purge has begun


def measure_company(bench: Bench) -> None:
    """The portal's p95 by itself and in company; then what the service bears at most."""
    database = bench.site.name_database(bench.largest)
    reading = bench.site.serve(database, lane="reading")
    publishing = bench.site.serve(database, lane="publishing")
    worker = bench.site.start_worker(database, "deliver", "seal")
    portal = Load(
        reading.port,
        script_portal(bench.site, database, _PEOPLE),
        seconds=_WINDOW * bench.seconds,
        rate=_PACE,
    )
    bench.generator.run(portal)
    company = _Company(bench, portal, publishing)
    company.publish()
    company.purge()
    company.crowd(reading)
    company.clear()
    for process in (worker, publishing, reading):
        process.stop()


class _Company:
    def __init__(self, bench: Bench, portal: Load, publishing: ServedRegistry) -> None:
        self._bench, self._portal, self._publishing = bench, portal, publishing
        self._rounds = max(2, bench.rounds - 2)
        self._senders = script_publishing(bench.site, _SENDERS)
        self._began = datetime.now(UTC)

    def publish(self) -> None:
        """The portal quiet and beside senders at full rate, in turn."""
        quiet, busy = [], []
        published = Answers()
        with Generator() as senders:
            for _ in range(self._rounds):
                quiet.append(self._run())
                load = Load(
                    self._publishing.port, self._senders, seconds=(self._portal.seconds or 0) + 1
                )
                beside = senders.begin(load)
                time.sleep(0.5)
                busy.append(self._run())
                answers = beside.result()
                published.add(answers)
                published.seconds += answers.seconds
        self._judge("publishing", quiet, busy, {"publications a second": published.rate})
        everything = Answers()
        for each in quiet:
            everything.add(each)
        values = {kind: everything.p95(kind) for kind, times in everything.times.items() if times}
        self._bench.compare(Comparison("Portal, quiet, p95", "ms", values))

    def purge(self) -> None:
        """The portal before, during and after a purge of messages that all expired at once."""
        site, database = self._bench.site, self._publishing.database
        count = min(_EXPIRED, self._bench.largest.messages // 5)
        site.cluster.ask(database, _EXPIRE, self._list_spared(), count)
        site.cluster.ask(database, "VACUUM ANALYZE messages")
        quiet = [self._run() for _ in range(self._rounds)]
        with self._purging() as purge:
            left = self._count_expired()
            busy = [self._run() for _ in range(self._rounds)]
            after = self._count_expired()
            purge.stop()
        if not after:
            say("not judged: the purge was over while its windows went on; take more messages")
            return
        rate = (left - after) / sum(each.seconds for each in busy)
        quiet += [self._run() for _ in range(self._rounds)]
        quiet = [quiet[number] for number in range(0, len(quiet), 2)]
        self._judge("purge", quiet, busy, {"deleted a second": rate})

    def crowd(self, reading: ServedRegistry) -> None:
        """As many requests as are answered: a sweep by software, and a peak of people."""
        bench = self._bench
        seconds = self._portal.seconds
        sweep = Load(reading.port, script_sweep(bench.site, 4), seconds=seconds)
        peak = Load(reading.port, [*self._portal.scripts, *self._portal.scripts], seconds=seconds)
        trickle = Load(reading.port, self._portal.scripts[:1], seconds=seconds, rate=2.0)
        rates, times = {}, {}
        for name, load in (("trickle", trickle), ("consumer sweep", sweep), ("peak day", peak)):
            answers = bench.generator.run(load)
            rates[name], times[name] = answers.rate, answers.p95()
        bench.compare(Comparison("Requests answered", "requests/s", rates))
        bench.compare(Comparison("Their p95", "ms", times))

    def clear(self) -> None:
        """Take from the readers what they were sent: another run finds them as they were."""
        ask, database = self._bench.site.cluster.ask, self._publishing.database
        ask(database, _TAKE, self._list_spared(), self._began)
        ask(database, "VACUUM messages, attachments, search_texts")

    def _run(self) -> Answers:
        return self._bench.generator.run(self._portal)

    def _judge(
        self, name: str, quiet: list[Answers], busy: list[Answers], more: dict[str, float]
    ) -> None:
        above, below = [each.p95() for each in busy], [each.p95() for each in quiet]
        least, median, most = ratio(above, below)
        parts = {"quiet p95, ms": statistics.median(below), "beside, ms": statistics.median(above)}
        parts |= {"quiet p50, ms": statistics.median(each.p50() for each in quiet), **more}
        self._bench.judge(Verdict(name, median, parts, (least, most)))

    @contextmanager
    def _purging(self) -> Iterator[Process]:
        """The worker's purge, once it deletes."""
        before = self._count_expired()
        worker = self._bench.site.start_worker(self._publishing.database, "purge")
        _wait_until(lambda: self._count_expired() < before)
        yield worker

    def _count_expired(self) -> int:
        database = self._publishing.database
        return self._bench.site.cluster.ask(database, _LEFT)[0][0]

    def _list_spared(self) -> list[str]:
        population = self._bench.largest
        return [each.key for each in (population.whale, *population.readers)]


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"the purge has not begun within {_PATIENCE} s")
        time.sleep(0.1)


_EXPIRE: Final = """
UPDATE messages m SET expires_at = now() - interval '1 hour' FROM (
  SELECT ebox, message_id FROM messages WHERE ebox <> ALL(%s) LIMIT %s) AS old
WHERE m.ebox = old.ebox AND m.message_id = old.message_id
"""
_TAKE: Final = "DELETE FROM messages WHERE ebox = ANY(%s) AND received_at >= %s"
_LEFT: Final = "SELECT count(*) FROM messages WHERE expires_at < now()"
