"""The report of the preflight: first all whom the settings name, then what is behind them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from registry import __version__
from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.looks import Look, run_at_once
from registry.diagnosis.plan import plan_looks
from registry.diagnosis.preflight.checks import (
    PreflightCheck,
    make_line,
    skip_checks,
    take_checks,
)
from registry.diagnosis.preflight.own_settings import (
    ENVIRONMENTS,
    judge_environment,
    judge_settings,
)
from registry.diagnosis.preflight.second_stage import Trial, plan_second_stage
from registry.diagnosis.report import Progress, find_unsure_fields, name_reasons
from registry.domain.report_lines import Grade, ReportLine, grade_worst
from registry.settings import Settings
from registry.settings.examination import examine_settings

PATIENCE: Final = 30.0  # seconds for each of two stages: a lock is waited for, ten seconds
_HASTE: Final = 5.0  # seconds for what is still to be cleaned up
_ENVIRONMENT: Final = "REGISTRY_ENVIRONMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightWish:
    """The wish for a preflight; `environment` is ACC or PRD, None for that of the settings.

    `backups` is the folder that backup.sh fills, None where it is not seen from here.
    """

    environment: str | None = None
    backups: Path | None = None
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightReport:
    """All lines, with the instant and the version of what looked."""

    environment: str
    begun_at: datetime
    seconds: float
    lines: tuple[ReportLine, ...]
    version: str = field(default=__version__)

    @property
    def grade(self) -> Grade:
        """The worst grade of all lines."""
        return grade_worst(self.lines)


def report_preflight(
    environ: Mapping[str, str], wish: PreflightWish, progress: Progress
) -> PreflightReport:
    """Look at everything; `progress` is told how many checks there are, and of each that ends.

    Nobody is told or changed anything; what is written to try a right is taken back.
    """
    begun_at, start = datetime.now(UTC), time.monotonic()
    value = environ.get(_ENVIRONMENT)
    right_value = ENVIRONMENTS.get(wish.environment or "", value)
    if right_value:
        environ = {**environ, _ENVIRONMENT: right_value}
    lines = [judge_environment(value, wish.environment)]
    lines += _look_at_all(environ, wish, progress)
    return PreflightReport(
        environment=right_value or "unknown",
        begun_at=begun_at,
        seconds=time.monotonic() - start,
        lines=tuple(lines),
    )


def _look_at_all(
    environ: Mapping[str, str], wish: PreflightWish, progress: Progress
) -> Iterator[ReportLine]:
    examination = examine_settings(Settings, environ)
    settings, unsure, readings = (
        examination.settings,
        find_unsure_fields(examination),
        ClockReadings(),
    )
    yield from judge_settings(examination)
    plan = list(plan_looks(settings, readings))
    looks = [look for look in plan if not unsure.intersection(look.fields)]
    second_stage = plan_second_stage(settings, readings, wish.backups)
    progress.begin(len(looks) + len(second_stage.checks))
    lines = take_checks([_make_check(look) for look in looks], wish.patience, progress.note)
    doubts = [look for look in plan if look not in looks]
    lines += [_report_doubt(look, unsure) for look in doubts]
    yield from lines
    yield make_line("clocks", list(readings.diagnose()), "Those that were seen agree with ours.")
    able, skips = skip_checks(second_stage.checks, lines, [look.name for look in doubts])
    try:
        yield from take_checks(able, wish.patience, progress.note)
    finally:
        _end_trials(second_stage.trials)
    yield from skips


def _make_check(look: Look) -> PreflightCheck:
    def take() -> Iterator[ReportLine]:
        yield make_line(look.name, list(look.look()))

    return PreflightCheck((look.name,), take)


def _report_doubt(look: Look, unsure: set[str]) -> ReportLine:
    names = ", ".join(name_reasons(look, unsure))
    sight = f"Not asked, for the fault in {names}."
    return ReportLine(look.name, Grade.WARN, sight, "Mend the settings first.")


def _end_trials(trials: tuple[Trial, ...]) -> None:
    """Remove what trials left that were not waited for; those that ended have left nothing."""

    def end(trial: Trial) -> None:
        with suppress(Exception):
            trial.end()

    run_at_once({trial.subject: partial(end, trial) for trial in trials}, _HASTE)
