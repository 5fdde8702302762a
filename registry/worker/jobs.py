"""What a worker does, and how often; what each means is for the services to say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from registry.telemetry import worker as telemetry
from registry.wiring.worker import WorkerServices

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_PURGED_AT_ONCE: Final = 100
_ROUTED_AT_ONCE: Final = 100
_EASE: Final = 6.0  # so that six sevenths of the time belong to those who read


class Means(NamedTuple):
    """What duties are done with; `is_stopping` tells that the process wants to end."""

    worker_services: WorkerServices
    is_stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One batch of a duty, in numbers by their name in the log, or why there was none.

    `trouble` is what somebody else's service is in, `wait` how many seconds it asks for. `ease`
    is for how many times as long as the batch took to rest before the next.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    trouble: str | None = None
    wait: float | None = None
    ease: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """`work` goes on until nothing is left, and again after `every`.

    Of one that `is_shared`, all workers together do one turn in that time.
    """

    name: str
    every: timedelta
    work: Callable[[Means], Iterator[Step]]
    is_shared: bool = True


def _remind(means: Means) -> Iterator[Step]:
    while count := means.worker_services.reminders.remind():
        yield Step({"reminded": count})


def _alert(means: Means) -> Iterator[Step]:
    while count := means.worker_services.reminders.alert():
        yield Step({"alerted": count})


def _route(means: Means) -> Iterator[Step]:
    while count := means.worker_services.routing.catch_up(_ROUTED_AT_ONCE):
        yield Step({"routed": count})
        if count < _ROUTED_AT_ONCE:
            return


def _deliver(means: Means) -> Iterator[Step]:
    while (report := means.worker_services.event_delivery.deliver(means.is_stopping)).events:
        counts = {
            "told": report.deliveries,
            "dead": report.refusals,
            "withdrawn": report.withdrawals,
        }
        yield Step(counts, report.trouble, report.wait)
        if report.trouble:
            return


def _purge(means: Means) -> Iterator[Step]:
    purge = means.worker_services.purge
    while count := purge.purge(_PURGED_AT_ONCE):
        yield Step({"purged": count}, ease=_EASE)
    while (report := purge.erase()).total:
        counts = {
            "erased": report.erasures,
            "shared": report.in_use,
            "kept": report.in_retention,
        }
        yield Step(counts, ease=_EASE)


def _sweep(means: Means) -> Iterator[Step]:
    for _key in means.worker_services.uploads.sweep(_DAY):
        yield Step({"swept": 1})


def _seal(means: Means) -> Iterator[Step]:
    while count := means.worker_services.sealer.seal():
        yield Step({"seals": 1, "sealed": count})


def _months(means: Means) -> Iterator[Step]:
    sealer = means.worker_services.sealer
    yield Step({"prepared": sealer.prepare_months()})
    yield Step({"dropped": sealer.drop_expired(sealer.now())})


def _measure(means: Means) -> Iterator[Step]:
    backlog = means.worker_services.event_administration.count_backlog()
    telemetry.show_backlog(
        waiting=backlog.waiting,
        oldest=backlog.oldest,
        dead=backlog.dead,
        unsealed_age=means.worker_services.sealer.measure_age(),
    )
    yield Step()


# In the order of `--once`: what the clock brings to mind is told in the same run.
DUTIES: Final = (
    Job("remind", _MINUTE, _remind),
    Job("alert", _MINUTE, _alert),
    Job("route", _MINUTE, _route),
    Job("deliver", timedelta(seconds=1), _deliver, is_shared=False),
    Job("purge", timedelta(minutes=5), _purge),
    Job("sweep", _DAY, _sweep),
    Job("seal", timedelta(seconds=1), _seal, is_shared=False),
    Job("months", _DAY, _months),
    Job("measure", timedelta(seconds=15), _measure, is_shared=False),
)
