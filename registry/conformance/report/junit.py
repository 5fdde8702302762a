"""The report as JUnit's XML, which every CI shows."""

import xml.etree.ElementTree as ET
from itertools import groupby

from registry.conformance.exchange.masking import mask_text
from registry.conformance.run.ruling import ConformanceReport, Judgement, Ruling


def write_junit(report: ConformanceReport) -> str:
    """Write a suite for each theme; what is not testable is skipped, with its reason."""
    name = f"conformance {report.profile} {report.target.family} {report.target.version}"
    root = ET.Element("testsuites", _count(report.rulings) | {"name": name})
    for theme, rulings in groupby(report.rulings, key=lambda ruling: ruling.requirement.theme):
        group = tuple(rulings)
        suite = ET.SubElement(root, "testsuite", _count(group) | {"name": theme})
        for ruling in group:
            _add_case(suite, ruling)
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _count(rulings: tuple[Ruling, ...]) -> dict[str, str]:
    judgements = [ruling.judgement for ruling in rulings]
    return {
        "tests": str(len(rulings)),
        "failures": str(judgements.count(Judgement.FAIL)),
        "skipped": str(judgements.count(Judgement.NOT_TESTABLE)),
        "time": f"{sum(ruling.seconds for ruling in rulings):.3f}",
    }


def _add_case(suite: ET.Element, ruling: Ruling) -> None:
    requirement, text = ruling.requirement, mask_text(ruling.text)
    facts = {
        "classname": requirement.theme.replace(" ", "_"),
        "name": f"{requirement.id}: {requirement.title}",
        "time": f"{ruling.seconds:.3f}",
    }
    case = ET.SubElement(suite, "testcase", facts)
    if ruling.judgement is Judgement.FAIL:
        failure = {"message": text, "type": requirement.obligation.value}
        ET.SubElement(
            case, "failure", failure
        ).text = f"{text}\nSource: {requirement.source}\nTo mend it: {requirement.mend}"
    elif ruling.judgement is Judgement.NOT_TESTABLE:
        ET.SubElement(case, "skipped", {"message": text})
