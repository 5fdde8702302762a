"""The report of the preflight as one page: no script, nothing to load."""

from html import escape
from typing import TYPE_CHECKING, Final

from registry.cli.output import write_local_time
from registry.cli.report_lines import summarize_lines

if TYPE_CHECKING:
    from registry.diagnosis.preflight.report import PreflightReport
    from registry.domain.report_lines import ReportLine

_STYLE: Final = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem;
  color: #1c2733; background: #fff; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 } p { color: #52606d; margin: .3rem 0 1.2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem;
  border-bottom: 1px solid #e3e8ee }
th { font-weight: 600; color: #52606d }
td:nth-child(2) { white-space: nowrap; font-weight: 600 }
.grade { display: inline-block; min-width: 3rem; text-align: center; border-radius: .3rem;
  font-weight: 600; color: #fff }
.pass { background: #1f7a4d } .warn { background: #a05a00 } .fail { background: #b3261e }
"""
_HEADINGS: Final = ("", "what", "seen", "to do")


def write_page(report: "PreflightReport") -> str:
    """Write the page; every text of the report is escaped."""
    title = f"Preflight of a registry: {report.environment}"
    facts = (
        f"{write_local_time(report.begun_at)}, in {report.seconds:.0f} seconds, by version"
        f" {report.version}. {summarize_lines(report.lines)}"
    )
    heads = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    rows = "\n".join(map(_write_row, report.lines))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title>\n<style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1>"
        f"<p>{escape(facts)}</p>\n<table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}"
        "</tbody></table></body></html>\n"
    )


def _write_row(line: "ReportLine") -> str:
    grade = f'<span class="grade {line.grade.value}">{line.grade.value}</span>'
    cells = (grade, escape(line.subject), escape(line.observation), escape(line.remedy))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
