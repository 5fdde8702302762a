"""A run: the site, the load, the pace of it, and what was found so far."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.scale.eboxes import Population
from tests.bench.scale.generator import Generator
from tests.bench.scale.progress import say
from tests.bench.scale.site import Site
from tests.bench.scale.verdicts import Comparison, Findings, Verdict


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement is given; `rounds` of everything, `seconds` of each in a round."""

    site: Site
    generator: Generator
    rounds: int = 5
    seconds: float = 2.0
    findings: Findings = field(default_factory=Findings)

    @property
    def smallest(self) -> Population:
        """The fewest messages."""
        return self.site.populations[0]

    @property
    def largest(self) -> Population:
        """The most messages; the same where there is one database."""
        return self.site.populations[-1]

    @property
    def folder(self) -> Path:
        """A folder for what is thrown away."""
        return self.site.folder

    def judge(self, verdict: Verdict) -> None:
        """Keep a verdict, and say it."""
        self.findings.verdicts.append(verdict)
        word = "at least" if verdict.is_least else "at most"
        mark = "holds" if verdict.holds else "DOES NOT HOLD"
        parts = ", ".join(f"{name} {value:.2f}" for name, value in verdict.parts.items())
        say(f"{mark}: {verdict.what}: {verdict.figure:.2f} ({word} {verdict.limit:g}); {parts}")

    def compare(self, comparison: Comparison) -> None:
        """Keep a comparison, and say it."""
        self.findings.comparisons.append(comparison)
        values = ", ".join(f"{name} {value:.2f}" for name, value in comparison.values.items())
        say(f"{comparison.title}, {comparison.unit}: {values}")
