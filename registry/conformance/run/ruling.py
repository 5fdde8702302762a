"""Rulings on requirements, and the report of all."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.requirement import Obligation, Profile, Requirement
from registry.conformance.target import Target


class Judgement(StrEnum):
    """A verdict on a requirement."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on one requirement, and the exchanges by which it was decided.

    `text` says what was seen, or what is missing; empty for one that is met.
    """

    requirement: Requirement
    judgement: Judgement
    text: str
    exchanges: tuple[Exchange, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceReport:
    """All rulings of a run; `remains` says what could not be tidied up."""

    target: Target
    profile: Profile
    begun_at: datetime
    seconds: float
    rulings: tuple[Ruling, ...]
    version: str
    remains: str = ""

    @property
    def counts(self) -> Counter[Judgement]:
        """Count the verdicts of each kind."""
        return Counter(ruling.judgement for ruling in self.rulings)

    def list_failures(self, obligation: Obligation) -> list[Ruling]:
        """List the requirements of this obligation that are not met."""
        return [
            ruling
            for ruling in self.rulings
            if ruling.judgement is Judgement.FAIL and ruling.requirement.obligation is obligation
        ]

    @property
    def exit_code(self) -> int:
        """1 when a MUST fails, 4 when only a SHOULD does, else 0."""
        if self.list_failures(Obligation.MUST):
            return 1
        return 4 if self.list_failures(Obligation.SHOULD) else 0
