"""Every answer of the run, held against the OpenAPI document."""

from collections.abc import Callable
from typing import Final

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.requirement import Profile, Unmet, Untestable, requires
from registry.conformance.workbench import LIST, Workbench

_SOURCE = "contract 1.3, 2 and the OpenAPI document of the version (v3: a reconstruction)"
_MEND = "Give the members that the document requires, in the form that it says."
_PROFILES = frozenset({Profile.PRODUCTION, Profile.ACCEPTANCE, Profile.SCENARIOS})
_MOST: Final = 5  # faults that are told

_Choice = Callable[[str, Exchange], bool]


def _judge(bench: Workbench, choose: _Choice) -> None:
    """Hold all answers of a kind against the document; raises `Unmet` with the faults."""
    faults: dict[str, Exchange] = {}
    count = 0
    for exchange in tuple(bench.journal.everything):
        template = bench.judge.find_template(exchange)
        if template is None or not choose(template, exchange):
            continue
        count += 1
        for fault in bench.judge.list_faults(exchange):
            faults.setdefault(f"{exchange.method} {template} {exchange.status}: {fault}", exchange)
    if not count:
        raise Untestable("No answer of this kind was seen in this run.")
    for exchange in list(faults.values())[:_MOST]:
        bench.journal.recall(exchange)
    if faults:
        more = f" And {len(faults) - _MOST} more." if len(faults) > _MOST else ""
        raise Unmet("; ".join(list(faults)[:_MOST]) + f".{more}")


def _is_fine(exchange: Exchange) -> bool:
    return exchange.status < 400


@requires("schema-list", source=_SOURCE, mend=_MEND, profiles=_PROFILES)
def fit_lists(bench: Workbench) -> None:
    """Lists of messages are as the document says."""
    is_list: _Choice = lambda path, answer: path == LIST and answer.method == "GET"  # noqa: E731
    _judge(bench, lambda path, answer: is_list(path, answer) and _is_fine(answer))


@requires("schema-message", source=_SOURCE, mend=_MEND, profiles=_PROFILES)
def fit_messages(bench: Workbench) -> None:
    """Messages by their own path, and their parts, are as the document says."""
    _judge(
        bench,
        lambda path, answer: (
            path.startswith(f"{LIST}/{{messageId}}")
            and not path.endswith("/content")
            and answer.method == "GET"
            and _is_fine(answer)
        ),
    )


@requires("schema-reference-data", source=_SOURCE, mend=_MEND)
def fit_reference_data(bench: Workbench) -> None:
    """Reference data are as the document says."""
    _judge(
        bench,
        lambda path, answer: path.startswith(bench.dialect.reference) and _is_fine(answer),
    )


@requires(
    "schema-refusals",
    source=_SOURCE,
    mend="Give every refusal the form of the version.",
    profiles=_PROFILES,
)
def fit_refusals(bench: Workbench) -> None:
    """Refusals are as the document says."""
    _judge(bench, lambda _, answer: answer.status >= 400)


@requires("schema-rest", source=_SOURCE, mend=_MEND, profiles=_PROFILES)
def fit_everything_else(bench: Workbench) -> None:
    """All other answers are as the document says: documents, counts, receipts, health."""
    beginnings = (f"{LIST}/{{messageId}}", bench.dialect.reference)
    _judge(
        bench,
        lambda path, answer: (
            _is_fine(answer)
            and (path.endswith("/content") or not path.startswith(beginnings))
            and not (path == LIST and answer.method == "GET")
        ),
    )
