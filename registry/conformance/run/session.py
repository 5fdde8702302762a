"""A whole run: first contact, checks, tidying up, report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from registry import __version__
from registry.conformance.callers.callers import Callers
from registry.conformance.exchange.browser import Browser
from registry.conformance.load.figures import LoadWish
from registry.conformance.requirement import Profile, Requirement
from registry.conformance.run.cleaning import tidy_up
from registry.conformance.run.contact import meet_registry
from registry.conformance.run.ruling import ConformanceReport
from registry.conformance.run.runner import Watcher, run_checks
from registry.conformance.target import Target
from registry.conformance.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWish:
    """A wish for a run; `patience` are the seconds of one answer, `time` those of all."""

    target: Target
    profile: Profile
    callers: Callers
    patience: float
    time: float
    origin: str | None = None
    may_read: bool = False
    ca_bundle: Path | None = None
    load: LoadWish | None = None


def conduct_run(
    wish: RunWish, requirements: Sequence[Requirement], watch: Watcher
) -> ConformanceReport:
    """Conduct a run; raises `NoRegistry` when there is nothing to test."""
    beginning, begun_at = time.monotonic(), datetime.now(UTC)
    browser = Browser(
        wish.target.base,
        patience=wish.patience,
        end=beginning + wish.time,
        ca_bundle=wish.ca_bundle,
    )
    bench = Workbench(
        wish.target,
        wish.callers,
        browser,
        origin=wish.origin,
        may_read=wish.may_read,
        load=wish.load,
    )
    try:
        meet_registry(bench)
        try:
            rulings = run_checks(bench, requirements, watch)
        finally:  # after Ctrl-C as well
            remains = tidy_up(bench)
    finally:
        browser.close()
    return ConformanceReport(
        target=wish.target,
        profile=wish.profile,
        begun_at=begun_at,
        seconds=time.monotonic() - beginning,
        rulings=rulings,
        version=__version__,
        remains=remains,
    )
