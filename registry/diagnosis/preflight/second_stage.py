"""The second stage: what can be looked at once databases, buckets and addresses are well."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.federal_plan import make_token_desk
from registry.diagnosis.preflight import canary, database_checks, outside, upkeep
from registry.diagnosis.preflight.bucket_rights import RightsTrial
from registry.diagnosis.preflight.checks import PreflightCheck
from registry.domain.report_lines import ReportLine
from registry.http_client.probe import Probe
from registry.settings import Settings
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring.buckets import Store, open_bucket
from registry.wiring.clock import now
from registry.wiring.database import Role, make_engine

_APPLICATION: Final = "database (application)"
_WORKER: Final = "database (worker)"
_DOCUMENTS: Final = "document store"
_SEALS: Final = "seal store"
_ADDRESS: Final = "public address"
_OUTSIDE_PATIENCE: Final = 5.0  # seconds
_REAL: Final = ("acceptation", "simulation", "production")  # where the mail of real people may be

Inquiry = Callable[[Transactions], Iterable[ReportLine]]


class Trial(Protocol):
    """Something that puts objects into a bucket to try it."""

    subject: str

    def end(self) -> object:
        """Remove what is there yet, in haste."""
        ...


class SecondStage(NamedTuple):
    """The checks, and the trials among them that may have to be ended."""

    checks: tuple[PreflightCheck, ...]
    trials: tuple[Trial, ...]


def plan_second_stage(
    settings: Settings, readings: ClockReadings, backups: Path | None
) -> SecondStage:
    """Plan it; clients and connections are made when a check begins."""
    flight = canary.DocumentFlight(partial(open_bucket, settings, "documents"))
    trials = {
        _DOCUMENTS: _plan_trial(settings, "documents", "rights on documents"),
        **(
            {_SEALS: _plan_trial(settings, "seals", "rights on seals")}
            if settings.audit_bucket
            else {}
        ),
    }
    return SecondStage(
        (
            *_plan_databases(settings),
            *(
                PreflightCheck((trial.subject,), trial.look, (store,))
                for store, trial in trials.items()
            ),
            PreflightCheck((flight.subject,), flight.look, (_DOCUMENTS,)),
            PreflightCheck(
                (outside.CORS, outside.CACHES),
                partial(_look_from_outside, settings, readings),
                (_ADDRESS,),
                is_strict=True,
            ),
            PreflightCheck((upkeep.BACKUP,), partial(upkeep.check_backup, backups)),
        ),
        (*trials.values(), flight),
    )


def _plan_databases(settings: Settings) -> Iterator[PreflightCheck]:
    """Plan one check for each role: all that it asks goes over one connection."""
    is_real = settings.environment in _REAL
    reader_queries, worker_queries = database_checks.READER_QUERIES, database_checks.WORKER_QUERIES
    yield PreflightCheck(
        (
            database_checks.INDEXES,
            *(query.subject for query in reader_queries),
            database_checks.SEARCH,
            canary.LETTER,
            upkeep.REFERENCE,
            upkeep.ARCHIVE,
        ),
        partial(
            _inquire,
            settings,
            "application",
            (
                database_checks.check_indexes,
                lambda each: database_checks.check_plans(each, reader_queries, now()),
                database_checks.check_search,
                canary.fly_letter,
                upkeep.check_reference_data,
                partial(upkeep.check_archive, is_real=is_real),
            ),
        ),
        (_APPLICATION,),
    )
    yield PreflightCheck(
        (*(query.subject for query in worker_queries), upkeep.HEARTBEAT, upkeep.SEALS),
        partial(
            _inquire,
            settings,
            "worker",
            (
                lambda each: database_checks.check_plans(each, worker_queries, now()),
                upkeep.check_worker,
            ),
        ),
        (_WORKER,),
    )


def _inquire(
    settings: Settings, role: Role, inquiries: tuple[Inquiry, ...]
) -> Iterator[ReportLine]:
    with _open_transactions(settings, role) as transactions:
        for inquiry in inquiries:
            yield from inquiry(transactions)


@contextmanager
def _open_transactions(settings: Settings, role: Role) -> Iterator[Transactions]:
    engine = make_engine(settings, role)
    try:
        yield Transactions(engine, find_worker_fault) if role == "worker" else Transactions(engine)
    finally:
        engine.dispose()


def _plan_trial(settings: Settings, store: Store, subject: str) -> RightsTrial:
    is_locked = store == "seals" or settings.s3_object_lock is not None
    return RightsTrial(
        subject, settings.s3_versioned or is_locked, partial(open_bucket, settings, store)
    )


def _look_from_outside(settings: Settings, readings: ClockReadings) -> Iterator[ReportLine]:
    return outside.OutsideInspection(
        settings.public_url + settings.enterprise_base_path,
        settings.cors_origins[0] if settings.cors_origins else None,
        Probe(_OUTSIDE_PATIENCE),
        make_token_desk(settings, readings),
        settings.environment in _REAL,
    ).look()
