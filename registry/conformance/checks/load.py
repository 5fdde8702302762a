"""Speed of the portal's calls while several people make them."""

from registry.conformance.load.figures import CallKind
from registry.conformance.requirement import (
    Obligation,
    Profile,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import Workbench

_LOAD = frozenset({Profile.LOAD})
_SOURCE = "contract 4.19 (portal traffic), 4.21 (SLA; its figures are not public)"


def _compare(bench: Workbench, kind: CallKind) -> str:
    """Hold the 95th percentile against the limit; gives the figures."""
    figures = bench.measure_load()
    if not figures.seconds[kind]:
        raise Untestable("No such call was answered: see the other requirements.")
    limit, text = bench.load.limits[kind], figures.describe(kind)
    expect(figures.find_percentile(kind, 95) <= limit, f"{text}; the limit of p95 is {limit:g} s.")
    return f"{text}; the limit of p95 is {limit:g} s."


@requires(
    "load-list",
    source=_SOURCE,
    mend="Read a page by an index on e-Box and time; count without reading documents.",
    obligation=Obligation.SHOULD,
    profiles=_LOAD,
)
def list_fast(bench: Workbench) -> str:
    """The list, which is the main call of the portal, is answered in time."""
    return _compare(bench, CallKind.LIST)


@requires(
    "load-detail",
    source=_SOURCE,
    mend="Read one message by its key.",
    obligation=Obligation.SHOULD,
    profiles=_LOAD,
)
def show_fast(bench: Workbench) -> str:
    """A message by its own path is answered in time."""
    return _compare(bench, CallKind.DETAIL)


@requires(
    "load-document",
    source=_SOURCE,
    mend="Stream documents; keep no worker busy with a slow client.",
    obligation=Obligation.SHOULD,
    profiles=_LOAD,
)
def download_fast(bench: Workbench) -> str:
    """A document is handed out in time, to its last byte."""
    return _compare(bench, CallKind.DOCUMENT)


@requires(
    "load-reference",
    source=_SOURCE,
    mend="Keep reference data in memory, and let clients keep them.",
    obligation=Obligation.SHOULD,
    profiles=_LOAD,
)
def look_up_fast(bench: Workbench) -> str:
    """The three items that each message names are answered in time."""
    return _compare(bench, CallKind.REFERENCE)


@requires(
    "load-failures",
    source=f"{_SOURCE}; RFC 9110: 5xx are the server's",
    mend="Answer 429 or 503 with Retry-After only beyond what was agreed.",
    profiles=_LOAD,
)
def answer_every_call(bench: Workbench) -> str:
    """Every call is answered well while several people make them."""
    figures = bench.measure_load()
    failures = ", ".join(f"{what} ({count})" for what, count in sorted(figures.failures.items()))
    expect(not failures, f"Calls were not answered well: {failures}.")
    return f"{sum(map(len, figures.seconds.values()))} calls by {bench.load.visitors} visitors."
