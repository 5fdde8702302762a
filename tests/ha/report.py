"""The episodes as a section of docs/durability.md."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tests.ha.episodes import LIMIT, Episode
from tests.ha.fence import Trespass

TITLE: Final = "Failover"

_INTRODUCTION: Final = f"""\
[`deploy/ha`](../deploy/ha/README.md) in network namespaces, one for each host: three data hosts
(etcd, Patroni with PostgreSQL, a master and a volume server of SeaweedFS on each), two web hosts
(HAProxy, a filer with S3, a registry, a worker). Two senders and two readers go on all the time,
through the HAProxy of a web host, and repeat what fails. A ledger outside notes what they were
told; afterwards each acknowledged publication is looked for: its message, once, its event, and
every byte of its document.

An outage is the longest time in which no request of that kind ended well, {LIMIT:.0f} s at most.
`longest request`: of any kind, with a good answer or another. `sealed`: the longest time without a
new seal of the audit trail, due each second here; nobody did anything to have sealing go on.
`whole`: from the mending until all members of all clusters were there again."""

_HEAD: Final = (
    "fault",
    "outage of readers",
    "outage of senders",
    "longest request",
    "acknowledged",
    "lost",
    "primary before, after",
    "sealed",
    "whole",
    "trail",
)


def write_section(episodes: Mapping[str, Sequence[Episode]]) -> str:
    """Compose the section of all episodes, by the way in which the registries reach PostgreSQL."""
    lines = [_INTRODUCTION, ""]
    for way, several in episodes.items():
        lines += [f"### {way}", "", _write_row(_HEAD), _write_row(["---"] * len(_HEAD))]
        lines += [*map(_write_episode, several), ""]
        lines += [line for each in several if each.trespass for line in _describe(each.trespass)]
        lines += ["Answers other than good ones:", "", *map(_write_outcomes, several), ""]
    faults = [
        f"- {way}, {each.fault.name}: {fault}"
        for way, several in episodes.items()
        for each in several
        for fault in each.faults
    ]
    return "\n".join(
        [*lines, "### What does not hold", "", *(faults or ["Nothing: all of it holds."])]
    )


def _write_episode(episode: Episode) -> str:
    account = episode.account
    missing = f"{len(account.lost)} lost, {len(account.double)} double"
    if account.incomplete:
        missing += f", {len(account.incomplete)} without their document"
    before, after = episode.primaries
    return _write_row(
        [
            episode.fault.name,
            f"{episode.read_outage:.1f} s",
            f"{episode.publish_outage:.1f} s",
            f"{episode.longest:.1f} s",
            str(account.acknowledged),
            missing,
            f"{before}, {after}",
            f"{episode.seal_gap:.1f} s",
            f"{episode.recovery:.1f} s",
            episode.trail,
        ]
    )


def _describe(trespass: Trespass) -> Iterable[str]:
    demotion = "never" if trespass.demotion is None else f"after {trespass.demotion:.1f} s"
    yield (
        "On the host that was cut off, a trespasser wrote to its PostgreSQL, and read from a "
        f"registry that knew no other. Before: {_list(trespass.before)}. "
        f"After: {_list(trespass.after)}. PostgreSQL refused {demotion}. Of the rows that were "
        f"acknowledged, {trespass.vanished} are not on the new primary. `write waits`: a commit "
        "was not acknowledged, since no standby had it."
    )
    yield ""


def _write_outcomes(episode: Episode) -> str:
    return f"- {episode.fault.name}: {_list(episode.outcomes) or 'none'}"


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))


def _write_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
