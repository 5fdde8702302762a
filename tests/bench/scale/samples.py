"""Requests of several kinds in turn, round by round, so that a busy machine disturbs all alike."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.scale.bench import Bench
from tests.bench.scale.generator import Answers, Load, Step
from tests.bench.scale.meters import ProcessorMeter
from tests.bench.scale.served import ServedRegistry
from tests.bench.scale.statements import StatementWatch
from tests.bench.scale.wire import make_get


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to one of the served registries, again and again by one client."""

    served: ServedRegistry
    path: str
    token: str


@dataclass(slots=True)
class Sample:
    """Rounds of one kind: medians of times in ms, all times, and CPU in ms a request."""

    p50s: list[float] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)
    python: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """Of the rounds' medians the median."""
        return statistics.median(self.p50s)

    @property
    def p95(self) -> float:
        """Of all times."""
        return self.answers.p95()

    @property
    def cpu(self) -> float:
        """Python's and PostgreSQL's."""
        return statistics.median(map(sum, zip(self.python, self.postgres, strict=True)))

    @property
    def postgres_cpu(self) -> float:
        """PostgreSQL's."""
        return statistics.median(self.postgres)


def sample(
    bench: Bench, kinds: Mapping[str, Asked], rounds: int | None = None
) -> dict[str, Sample]:
    """Ask all kinds in turn; the first round warms up and counts nothing."""
    samples = {kind: Sample() for kind in kinds}
    for number in range((rounds or bench.rounds) + 1):
        for kind, asked in kinds.items():
            seconds = bench.seconds if number else bench.seconds / 4
            answers, meter = _ask(bench, kind, asked, seconds)
            if number:
                _note(samples[kind], answers, meter)
    return samples


def describe(bench: Bench, asked: Asked) -> str:
    """Ask once more, alone, and tell what PostgreSQL did most of the time."""
    database = asked.served.database
    watch = StatementWatch(bench.site.cluster, database)
    answers, _ = _ask(bench, "again", asked, 1.0)
    refused = f"; of {answers.count} answers {answers.failures} failed" if answers.failures else ""
    return watch.describe_slowest() + refused


def _ask(bench: Bench, kind: str, asked: Asked, seconds: float) -> tuple[Answers, ProcessorMeter]:
    served = asked.served
    meter = ProcessorMeter(served.pid, bench.site.cluster, "application", served.database)
    step = Step(kind, make_get(asked.path, asked.token))
    load = Load(served.port, [[step]], seconds=seconds)
    return bench.generator.begin(load).result(), meter


def _note(sample: Sample, answers: Answers, meter: ProcessorMeter) -> None:
    used = meter.divide(answers.count)
    sample.p50s.append(answers.p50())
    sample.answers.add(answers)
    sample.python.append(used.python)
    sample.postgres.append(used.postgres)
