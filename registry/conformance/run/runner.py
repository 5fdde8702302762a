"""Checks requirements one after the other, each within its time."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from registry.conformance.exchange.browser import Unreachable, collect_exchanges
from registry.conformance.requirement import Requirement, Unmet, Untestable
from registry.conformance.run.ruling import Judgement, Ruling
from registry.conformance.workbench import Workbench

_STRANGE: Final = (LookupError, TypeError, AttributeError, ValueError)
_TIME_IS_UP: Final = "The time of the run was up before; see --time."

Watcher = Callable[[Ruling], None]


def run_checks(
    bench: Workbench, requirements: Sequence[Requirement], watch: Watcher
) -> tuple[Ruling, ...]:
    """Check them in their order, and tell each ruling to `watch` as it is made."""
    rulings = []
    for requirement in requirements:
        ruling = rule_on(bench, requirement)
        rulings.append(ruling)
        watch(ruling)
    return tuple(rulings)


def rule_on(bench: Workbench, requirement: Requirement) -> Ruling:
    """Check one requirement."""
    beginning = time.monotonic()
    with collect_exchanges(bench.journal) as exchanges:
        judgement, text = _judge(bench, requirement)
    seconds = time.monotonic() - beginning
    return Ruling(requirement, judgement, text, tuple(exchanges), seconds)


def _judge(bench: Workbench, requirement: Requirement) -> tuple[Judgement, str]:
    if missing := bench.callers.list_missing(requirement.roles):
        return Judgement.NOT_TESTABLE, f"There is no caller for it: {'; '.join(missing)}."
    try:
        text = requirement.check(bench)
    except (Unmet, *_STRANGE) as error:
        return Judgement.FAIL, _describe(error)
    except Untestable as reason:
        return Judgement.NOT_TESTABLE, str(reason)
    except Unreachable as error:
        is_over = time.monotonic() >= bench.browser.end
        return (Judgement.NOT_TESTABLE, _TIME_IS_UP) if is_over else (Judgement.FAIL, str(error))
    return Judgement.PASS, text or ""


def _describe(error: Exception) -> str:
    if isinstance(error, Unmet):
        return str(error)
    # The registry's answer had not the form that the check took for granted.
    return f"An answer has not the form it must have ({type(error).__name__})."
