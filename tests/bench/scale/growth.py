"""Costs that must not grow: with the database, with the e-Box, with the page, with the word."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from tests.bench.load import ratio
from tests.bench.scale import letters
from tests.bench.scale.bench import Bench
from tests.bench.scale.profiles import LIST, STATISTICS
from tests.bench.scale.samples import Asked, Sample, describe, sample
from tests.bench.scale.served import ServedRegistry
from tests.bench.scale.verdicts import Comparison, Verdict

_SEARCHES: Final = {
    "common word": letters.COMMON,
    "rare word": letters.RARE,
    "accent": letters.ACCENT,
    "one letter": letters.LETTER,
    "no match": letters.ABSENT,
}
_PAGE: Final = 25


def measure_growth(bench: Bench) -> None:
    """Listings of one small e-Box in both databases; then the whale beside it, in every way."""
    small, large = (
        bench.site.serve(bench.site.name_database(population), workers=1)
        for population in (bench.smallest, bench.largest)
    )
    kinds = dict(_list_kinds(bench, small, large))
    samples = sample(bench, kinds)
    _judge_growth(bench, samples)
    _judge_whale(bench, samples, kinds)
    _judge_pages(bench, samples, kinds)
    _judge_searches(bench, samples, kinds)
    small.stop()
    large.stop()


def _list_kinds(
    bench: Bench, small: ServedRegistry, large: ServedRegistry
) -> Iterator[tuple[str, Asked]]:
    site = bench.site
    reader, whale = bench.largest.readers[0], bench.largest.whale
    consumer = site.callers.consumer(reader)
    yield "small e-Box, smallest database", Asked(small, LIST, consumer)
    yield "small e-Box", Asked(large, LIST, consumer)
    yield "small e-Box, statistics", Asked(large, STATISTICS, consumer)
    token = site.callers.consumer(whale)
    yield "whale", Asked(large, LIST, token)
    yield "whale, for a person", Asked(large, LIST, site.callers.person(whale))
    yield "whale, unread", Asked(large, f"{LIST}?isRead=false", token)
    yield "whale, statistics", Asked(large, STATISTICS, token)
    last = whale.messages // _PAGE
    for name, page in (("page 400", 400), ("last page", last), ("behind the end", 3 * last)):
        yield name, Asked(large, f"{LIST}?page={page}", token)
    for name, word in _SEARCHES.items():
        yield f"q: {name}", Asked(large, f"{LIST}?q={quote(word)}&qlang=fr", token)
    far = f"{LIST}?q={quote(letters.COMMON)}&qlang=fr&page=100"
    yield "q: common word, page 100", Asked(large, far, token)


def _judge_growth(bench: Bench, samples: dict[str, Sample]) -> None:
    small, large = samples["small e-Box, smallest database"], samples["small e-Box"]
    for name, above, below in (
        ("growth p50", large.p50s, small.p50s),
        ("growth cpu", _add(large), _add(small)),
    ):
        least, median, most = ratio(above, below)
        parts = {"smallest, ms": _middle(below), "largest, ms": _middle(above)}
        bench.judge(Verdict(name, median, parts, (least, most)))


def _judge_whale(bench: Bench, samples: dict[str, Sample], kinds: dict[str, Asked]) -> None:
    small, whale = samples["small e-Box"], samples["whale"]
    least, median, most = ratio(whale.postgres, small.postgres)
    parts = {"small, ms": small.postgres_cpu, "whale, ms": whale.postgres_cpu}
    for name in ("whale, for a person", "whale, unread"):
        parts[f"{name}, ms"] = samples[name].postgres_cpu
    evidence = describe(bench, kinds["whale"])
    bench.judge(Verdict("whale", median, parts, (least, most), evidence))
    counted, of_whale = samples["small e-Box, statistics"], samples["whale, statistics"]
    least, median, most = ratio(of_whale.p50s, counted.p50s)
    parts = {"small, ms": counted.p50, "whale, ms": of_whale.p50}
    evidence = describe(bench, kinds["whale, statistics"])
    bench.judge(Verdict("statistics", median, parts, (least, most), evidence))


def _judge_pages(bench: Bench, samples: dict[str, Sample], kinds: dict[str, Asked]) -> None:
    first = samples["whale"]
    values = {"page 1": first.p50}
    for name in ("page 400", "last page", "behind the end"):
        least, median, most = ratio(samples[name].p50s, first.p50s)
        values[name] = samples[name].p50
        parts = {"page 1, ms": first.p50, f"{name}, ms": samples[name].p50}
        evidence = describe(bench, kinds[name])
        bench.judge(Verdict(name, median, parts, (least, most), evidence))
    bench.compare(Comparison("Pages of the whale, p50", "ms", values))


def _judge_searches(bench: Bench, samples: dict[str, Sample], kinds: dict[str, Asked]) -> None:
    listing = samples["whale"].p95
    values = {"listing": listing}
    values |= {name: each.p95 for name, each in samples.items() if name.startswith("q: ")}
    slowest = max(values, key=values.__getitem__)
    slowest = slowest if slowest != "listing" else "q: common word"
    parts = {f"{name}, ms": value for name, value in values.items()}
    evidence = f"{slowest}: {describe(bench, kinds[slowest])}"
    bench.judge(Verdict("search ratio", values[slowest] / listing, parts, evidence=evidence))
    bench.judge(Verdict("search time", values[slowest], parts, evidence=evidence))
    bench.compare(Comparison("Searches in the whale, p95", "ms", values))


def _add(each: Sample) -> list[float]:
    return [python + own for python, own in zip(each.python, each.postgres, strict=True)]


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
