"""Jobs of a worker, and how often each is due; their meaning is for the services to say."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from registry.telemetry import worker as telemetry
from registry.telemetry.documents import report_fault
from registry.wiring.worker import WorkerServices

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_PURGE_BATCH: Final = 100
_ROUTING_BATCH: Final = 100
_EASE: Final = 6.0  # so that six sevenths of the time belong to those who read


class JobContext(NamedTuple):
    """The services that jobs use; `is_stopping` tells that the process wants to end."""

    worker_services: WorkerServices
    is_stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One batch of a job, in numbers by their name in the log, or why there was none.

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

    Of one that `is_shared`, all workers together have one run in that time. One that is not
    `is_by_clock` is done whatever this machine's clock says.
    """

    name: str
    every: timedelta
    work: Callable[[JobContext], Iterator[Step]]
    is_shared: bool = True
    is_by_clock: bool = True


def _remind(context: JobContext) -> Iterator[Step]:
    for count in context.worker_services.reminders.remind_all():
        yield Step({"reminded": count})


def _alert(context: JobContext) -> Iterator[Step]:
    for count in context.worker_services.reminders.alert_all():
        yield Step({"alerted": count})


def _route(context: JobContext) -> Iterator[Step]:
    while count := context.worker_services.routing.catch_up(_ROUTING_BATCH):
        yield Step({"routed": count})
        if count < _ROUTING_BATCH:
            return


def _broadcast(context: JobContext) -> Iterator[Step]:
    for count in context.worker_services.broadcast_filing.resume_all():
        yield Step({"linked": count})


def _deliver(context: JobContext) -> Iterator[Step]:
    while (report := context.worker_services.event_delivery.deliver(context.is_stopping)).events:
        counts = {
            "told": report.deliveries,
            "dead": report.refusals,
            "withdrawn": report.withdrawals,
        }
        for told_events, count in report.told_events.items():
            telemetry.log_told_events(**told_events._asdict(), events=count)
        yield Step(counts, report.trouble, report.wait)
        if report.trouble:
            return


def _purge(context: JobContext) -> Iterator[Step]:
    purge = context.worker_services.purge
    for count in purge.purge_all(_PURGE_BATCH):
        yield Step({"purged": count}, ease=_EASE)
    for report in purge.erase_all():
        counts = {
            "erased": report.erasures,
            "shared": report.in_use,
            "kept": report.in_retention,
        }
        yield Step(counts, ease=_EASE)


def _forget(context: JobContext) -> Iterator[Step]:
    for count in context.worker_services.event_memory.forget_all():
        yield Step({"forgotten": count}, ease=_EASE)


def _sweep(context: JobContext) -> Iterator[Step]:
    for _key in context.worker_services.sweep.sweep(_DAY):
        yield Step({"swept": 1})


def _verify(context: JobContext) -> Iterator[Step]:
    # A round takes days, at its pace: each run does its part of it, also of those with `--once`.
    until = time.monotonic() + _MINUTE.total_seconds()
    for report in context.worker_services.document_check.check_due(context.is_stopping):
        for key, message_id, is_altered in report.faults:
            report_fault(is_altered=is_altered, key=key, message_id=message_id)
        yield Step({"verified": report.documents, "faulty": len(report.faults)})
        if time.monotonic() > until:
            return


def _count(context: JobContext) -> Iterator[Step]:
    for count in context.worker_services.ebox_sizes.sum_up():
        yield Step({"summed": count})
    for count in context.worker_services.ebox_sizes.mark_all():
        yield Step({"marked": count}, ease=1.0)


def _seal(context: JobContext) -> Iterator[Step]:
    while count := context.worker_services.sealer.seal():
        yield Step({"seals": 1, "sealed": count})


def _file(context: JobContext) -> Iterator[Step]:
    while count := context.worker_services.filing.file():
        yield Step({"filed": count})


def _months(context: JobContext) -> Iterator[Step]:
    sealer = context.worker_services.sealer
    yield Step({"prepared": sealer.prepare_months()})
    yield Step({"dropped": sealer.drop_expired(sealer.now())})


def _measure(context: JobContext) -> Iterator[Step]:
    telemetry.show_clock(context.worker_services.clock_check.measure())
    backlog = context.worker_services.event_administration.count_backlog()
    telemetry.show_backlog(
        waiting=backlog.waiting,
        oldest=backlog.oldest,
        dead=backlog.dead,
        unsealed_age=context.worker_services.sealer.measure_age(),
    )
    expiries = context.worker_services.purge.count_backlog()
    telemetry.show_expired(expiries.messages, expiries.oldest)
    telemetry.show_certificates(context.worker_services.find_certificate_ends())
    telemetry.show_document_check(context.worker_services.document_check.find_last_start())
    yield Step()


# In the order of `--once`: what the clock brings to mind is told in the same run. Not shared are
# those that look after themselves when two do them at once, so that none waits for a lease that a
# worker took and died, and `measure`, since every worker shows figures of its own.
JOBS: Final = (
    Job("remind", _MINUTE, _remind),
    Job("alert", _MINUTE, _alert),
    Job("route", _MINUTE, _route),
    Job("broadcast", timedelta(seconds=10), _broadcast, is_shared=False),
    Job("deliver", timedelta(seconds=1), _deliver, is_shared=False),
    Job("purge", timedelta(minutes=5), _purge),
    Job("forget", timedelta(hours=1), _forget),
    Job("sweep", _DAY, _sweep),
    Job("count", timedelta(seconds=10), _count, is_by_clock=False),
    Job("seal", timedelta(seconds=1), _seal, is_shared=False),
    Job("file", timedelta(seconds=1), _file, is_shared=False),
    Job("months", _DAY, _months),
    Job("verify", _MINUTE, _verify, is_by_clock=False),
    Job("measure", timedelta(seconds=15), _measure, is_shared=False, is_by_clock=False),
)
