"""The report as JSON."""

import json
from typing import Any

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.masking import mask_headers, mask_text, mask_url, show_body
from registry.conformance.run.ruling import ConformanceReport, Judgement, Ruling


def write_json(report: ConformanceReport) -> str:
    """Write the report; exchanges are given for what failed."""
    return json.dumps(make_report_members(report), indent=2, ensure_ascii=False) + "\n"


def make_report_members(report: ConformanceReport) -> dict[str, Any]:
    """Make the members of the report."""
    return {
        "baseUrl": mask_text(report.target.base),
        "interfaceVersion": report.target.version,
        "eboxType": report.target.family,
        "profile": report.profile.value,
        "begunAt": report.begun_at.isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 1),
        "version": report.version,
        "counts": {judgement.value: report.counts[judgement] for judgement in Judgement},
        "exitCode": report.exit_code,
        "remains": report.remains,
        "requirements": [_make_ruling_members(ruling) for ruling in report.rulings],
    }


def _make_ruling_members(ruling: Ruling) -> dict[str, Any]:
    requirement = ruling.requirement
    is_failure = ruling.judgement is Judgement.FAIL
    return {
        "id": requirement.id,
        "title": requirement.title,
        "theme": requirement.theme,
        "source": requirement.source,
        "obligation": requirement.obligation.value,
        "verdict": ruling.judgement.value,
        "seen": mask_text(ruling.text),
        "mend": requirement.mend if is_failure else "",
        "seconds": round(ruling.seconds, 3),
        "exchanges": [make_exchange_members(item) for item in ruling.exchanges]
        if is_failure
        else [],
    }


def make_exchange_members(exchange: Exchange) -> dict[str, Any]:
    """Make the members of one exchange, masked."""
    return {
        "caller": exchange.caller,
        "request": f"{exchange.method} {mask_url(exchange.url)}",
        "requestHeaders": mask_headers(exchange.request_headers),
        "requestBody": exchange.request_note,
        "status": exchange.status,
        "headers": mask_headers(exchange.headers),
        "body": show_body(exchange),
        "seconds": round(exchange.seconds, 3),
    }
