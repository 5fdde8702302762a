"""The report on a terminal, and the progress before it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from registry.conformance.exchange.masking import mask_text
from registry.conformance.requirement import Obligation, Requirement
from registry.conformance.run.ruling import ConformanceReport, Judgement, Ruling

_STYLES: Final = {
    Judgement.PASS: "green",
    Judgement.FAIL: "bold red",
    Judgement.NOT_TESTABLE: "dim",
}


@contextmanager
def show_progress(count: int) -> Iterator[Callable[[Ruling], None]]:
    """Show on standard error how many of `count` requirements are decided; gives whom to tell."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=count)

        def watch(ruling: Ruling) -> None:
            bar.update(task, advance=1, description=ruling.requirement.id)

        yield watch


def print_report(report: ConformanceReport) -> None:
    """Print a line for each requirement, and what was seen of those that are not met."""
    console = Console(highlight=False)
    table = Table("verdict", "", "requirement", "what was seen", box=None, padding=(0, 1))
    for ruling in report.rulings:
        style = _STYLES[ruling.judgement]
        table.add_row(
            f"[{style}]{ruling.judgement}[/]",
            ruling.requirement.obligation.value,
            ruling.requirement.id,
            escape(mask_text(ruling.text)) or f"[dim]{escape(ruling.requirement.title)}[/]",
        )
    console.print(table)
    console.print(summarize(report))
    if report.remains:
        console.print(escape(report.remains))


def summarize(report: ConformanceReport) -> str:
    """Summarize a report in one line."""
    counts = report.counts
    must = len(report.list_failures(Obligation.MUST))
    return (
        f"{counts[Judgement.PASS]} met, {counts[Judgement.FAIL]} not met, of which {must} must be;"
        f" {counts[Judgement.NOT_TESTABLE]} not testable here."
    )


def print_requirements(requirements: tuple[Requirement, ...]) -> None:
    """Print what is required, without checking anything."""
    table = Table("requirement", "", "theme", "title", "callers", box=None, padding=(0, 1))
    for item in requirements:
        callers = ", ".join(item.roles)
        table.add_row(item.id, item.obligation.value, item.theme, escape(item.title), callers)
    Console(highlight=False).print(table)


def print_explanation(item: Requirement) -> None:
    """Print all that is known of one requirement."""
    lines = {
        "requirement": item.id,
        "title": item.title,
        "explanation": item.explanation,
        "theme": item.theme,
        "obligation": item.obligation.value,
        "source": item.source,
        "to mend it": item.mend,
        "callers": ", ".join(item.roles) or "none",
        "profiles": ", ".join(sorted(item.profiles)),
        "versions": ", ".join(sorted(item.versions)),
        "e-Boxes": ", ".join(sorted(item.families)),
    }
    console = Console(highlight=False, soft_wrap=True)
    for name, text in lines.items():
        if text:
            console.print(f"[bold]{name:12}[/] {escape(text)}")
