"""Lines of a report on what was looked at before it is needed: what was seen, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """The grades of a line; a failure alone keeps something from working."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A line on one subject; `remedy` says what to do where there is something to do.

    Neither repeats a secret.
    """

    subject: str
    grade: Grade
    observation: str
    remedy: str = ""


def grade_worst(lines: Iterable[ReportLine]) -> Grade:
    """Give the worst grade of some lines; that of none is a pass."""
    order = (Grade.PASS, Grade.WARN, Grade.FAIL)
    return max((each.grade for each in lines), key=order.index, default=Grade.PASS)
