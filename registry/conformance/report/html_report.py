"""The report as one page: no script, nothing to load, every text escaped."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Final

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.masking import mask_headers, mask_text, mask_url, show_body
from registry.conformance.requirement import Obligation
from registry.conformance.run.ruling import ConformanceReport, Judgement, Ruling

_CLASSES: Final = {
    Judgement.PASS: "pass",
    Judgement.FAIL: "fail",
    Judgement.NOT_TESTABLE: "none",
}
_MOST: Final = 6  # exchanges that are shown of one requirement
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(report: ConformanceReport) -> str:
    """Write the page: the sums, then each requirement by theme, failures open."""
    title = f"Conformance of a MessageRegistry: {report.target.family}, {report.target.version}"
    style = (files("registry.conformance.report") / "page.css").read_text("utf-8")
    groups = groupby(report.rulings, key=lambda ruling: ruling.requirement.theme)
    themes = "\n".join(
        f"<h2>{escape(theme)}</h2>\n{''.join(map(_write_ruling, rulings))}"
        for theme, rulings in groups
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>\n<style>{style}</style></head>\n<body><h1>{escape(title)}</h1>"
        f"{_write_facts(report)}{_write_sums(report)}{themes}\n</body></html>\n"
    )


def _write_facts(report: ConformanceReport) -> str:
    begun_at = report.begun_at.strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"<code>{escape(mask_text(report.target.base))}</code>",
        escape(
            f"Profile {report.profile}, {begun_at}, in {report.seconds:.0f} seconds, by version"
            f" {report.version} of registry conformance."
        ),
        "Tokens, numbers of people and enterprises, subjects and file names are masked by “…”.",
    ]
    if report.remains:
        lines.append(escape(report.remains))
    return "".join(f"<p>{line}</p>" for line in lines)


def _write_sums(report: ConformanceReport) -> str:
    must, should = (
        len(report.list_failures(obligation)) for obligation in (Obligation.MUST, Obligation.SHOULD)
    )
    cells = [
        ("pass", report.counts[Judgement.PASS], "met"),
        ("fail", must, "that must be met and are not"),
        ("fail", should, "that should be met and are not"),
        ("none", report.counts[Judgement.NOT_TESTABLE], "not testable here"),
    ]
    boxes = "".join(
        f'<div class="{kind}"><b>{count}</b>{text}</div>' for kind, count, text in cells
    )
    return f'<div class="sums">{boxes}</div>'


def _write_ruling(ruling: Ruling) -> str:
    requirement = ruling.requirement
    head = (
        f'<span class="verdict {_CLASSES[ruling.judgement]}">{ruling.judgement}</span>'
        f'<span class="obligation">{requirement.obligation}</span>'
        f"<code>{escape(requirement.id)}</code><span>{escape(requirement.title)}</span>"
    )
    if ruling.text:
        kind = "seen" if ruling.judgement is Judgement.FAIL else "reason"
        head += f'<span class="{kind}">{escape(mask_text(ruling.text))}</span>'
    opening = " open" if ruling.judgement is Judgement.FAIL else ""
    facts = [("source", requirement.source), ("to mend it", requirement.mend)]
    if requirement.explanation:
        facts.insert(0, ("what it is", requirement.explanation))
    terms = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    exchanges = "".join(map(_write_exchange, ruling.exchanges[-_MOST:]))
    return f"<details{opening}><summary>{head}</summary><dl>{terms}</dl>{exchanges}</details>\n"


def _write_exchange(exchange: Exchange) -> str:
    request = [
        f"{exchange.method} {mask_url(exchange.url)}",
        *_write_headers(exchange.request_headers),
    ]
    if exchange.request_note:
        request += ["", f"({exchange.request_note})"]
    answer = [str(exchange.status), *_write_headers(exchange.headers)]
    if text := show_body(exchange):
        answer += ["", text]
    caller = f"{exchange.caller}, {exchange.seconds * 1000:.0f} ms" if exchange.caller else ""
    blocks = "\n".join(request), f"# {caller}\n" + "\n".join(answer)
    return "".join(f"<pre>{escape(block)}</pre>" for block in blocks)


def _write_headers(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {text}" for name, text in mask_headers(headers).items()]
