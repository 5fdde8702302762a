"""Checks of the preflight: lines by their subjects, whatever keeps a check from its end."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from registry.diagnosis.looks import run_at_once
from registry.domain.diagnoses import Diagnosis, Severity
from registry.domain.report_lines import Grade, ReportLine

_WELL: Final = "It is well."


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """A check that gives one line for each of its subjects.

    `needs` are subjects of earlier lines: while one of them fails, nobody is asked; nor while there
    is a warning, if `is_strict`.
    """

    subjects: tuple[str, ...]
    look: Callable[[], Iterable[ReportLine]]
    needs: tuple[str, ...] = ()
    is_strict: bool = False


def take_checks(
    checks: Sequence[PreflightCheck], patience: float, note: Callable[[str], None]
) -> list[ReportLine]:
    """Take all at once, and give their lines in their order; `note` is told of each end.

    Within `patience` seconds: a subject of which nothing is there then fails itself.
    """
    lines: dict[str, ReportLine] = {}
    breakdowns: dict[str, str] = {}

    def take(check: PreflightCheck) -> None:
        try:
            for line in check.look():
                lines[line.subject] = line
        except Exception as error:  # noqa: BLE001 - none keeps another from looking
            # Not its words, which could repeat what is secret.
            breakdowns.update(dict.fromkeys(check.subjects, type(error).__name__))

    run_at_once({check.subjects[0]: partial(take, check) for check in checks}, patience, note)
    return [
        lines.get(subject) or _report_silence(subject, breakdowns.get(subject), patience)
        for check in checks
        for subject in check.subjects
    ]


def skip_checks(
    checks: Sequence[PreflightCheck], lines: Collection[ReportLine], doubts: Collection[str]
) -> tuple[list[PreflightCheck], list[ReportLine]]:
    """Give the checks that can be taken, and lines for those that cannot, for what failed.

    `doubts` are subjects that nobody was asked about, for a fault in their settings.
    """
    grades = {line.subject: line.grade for line in lines}
    grades |= dict.fromkeys(doubts, Grade.FAIL)
    able: list[PreflightCheck] = []
    skips: list[ReportLine] = []
    for check in checks:
        fit_grades = (Grade.PASS,) if check.is_strict else (Grade.PASS, Grade.WARN)
        reasons = [each for each in check.needs if grades.get(each) not in fit_grades]
        if not reasons:
            able.append(check)
        skips += [
            _report_skip(subject, reasons[0], is_set=reasons[0] in grades)
            for subject in (check.subjects if reasons else ())
        ]
    return able, skips


def make_line(subject: str, diagnoses: Sequence[Diagnosis], sight: str = _WELL) -> ReportLine:
    """Make one line of all that was diagnosed of a subject; `sight` is what is seen without."""
    if not diagnoses:
        return ReportLine(subject, Grade.PASS, sight)
    has_fault = any(each.severity is Severity.FAULT for each in diagnoses)
    return ReportLine(
        subject,
        Grade.FAIL if has_fault else Grade.WARN,
        " ".join(_describe(each) for each in diagnoses),
        " ".join(dict.fromkeys(each.remedy for each in diagnoses)),
    )


def _describe(diagnosis: Diagnosis) -> str:
    names = f"{', '.join(diagnosis.settings)}: " if diagnosis.settings else ""
    return f"{names}{diagnosis.observation} {diagnosis.reason}"


def _report_silence(subject: str, breakdown: str | None, patience: float) -> ReportLine:
    if breakdown:
        sight = f"The check failed itself: {breakdown} was raised, which nobody expected."
        remedy = "Look whether what it asks is well; else report it to whoever maintains this."
        return ReportLine(subject, Grade.FAIL, sight, remedy)
    sight = f"It has not ended after {patience:g} seconds."
    remedy = "Look whether it is well, and at what lies between; `--patience` gives it longer."
    return ReportLine(subject, Grade.FAIL, sight, remedy)


def _report_skip(subject: str, reason: str, *, is_set: bool) -> ReportLine:
    if is_set:
        sight, remedy = f"Not looked at: {reason} is not well.", f"Mend {reason} first."
    else:
        sight = f"Not looked at: the settings here have no {reason}."
        remedy = "Run this where they have it, too."
    return ReportLine(subject, Grade.WARN, sight, remedy)
