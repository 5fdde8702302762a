"""Programs write their sections of a page, and leave the rest of it alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from registry.sandbox.drill.report_page import NoSection, ReportPage, describe_machine

PAGE = """\
# Durability

Written by people: é.

<!-- begin: A -->
## A

Old figures.
<!-- end: A -->

<!-- begin: B -->
## B
<!-- end: B -->
"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return ReportPage(path)


def test_a_section_is_replaced_and_nothing_else(page):
    page.replace_section("A", "New figures.\n", command="make drill")

    day = datetime.now(UTC).date().isoformat()
    run = f"Written by `make drill` on {day},\non {describe_machine()}; load average "
    text = page.path.read_text(encoding="utf-8")
    load = text.partition(run)[2].partition(".")[0]
    assert load.isdecimal()
    assert text == PAGE.replace("Old figures.", f"{run}{load}.\n\nNew figures.")
    assert list(page.path.parent.iterdir()) == [page.path]


def test_each_program_writes_its_own(page):
    for title in ("A", "B", "A"):
        page.replace_section(title, f"Figures of {title}.", command="make it")

    text = page.path.read_text(encoding="utf-8")
    assert text.count("Figures of A.") == text.count("Figures of B.") == 1
    assert text.count("<!-- ") == PAGE.count("<!-- ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (PAGE.replace("<!-- end: A -->", ""), "must have the lines"),
        (PAGE + "<!-- begin: A -->\n", "each once"),
        ("<!-- end: A -->\n<!-- begin: A -->\n", "each once"),
        ("", "<!-- begin: A -->"),
    ],
)
def test_a_page_without_the_section_is_refused_and_stays(page, text, fault):
    page.path.write_text(text, encoding="utf-8")

    with pytest.raises(NoSection, match=fault):
        page.replace_section("A", "New.", command="make it")
    with pytest.raises(NoSection, match=fault):
        page.require_section("A")

    assert page.path.read_text(encoding="utf-8") == text


def test_a_page_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(NoSection, match=r"none\.md cannot be read: No such file"):
        ReportPage(tmp_path / "none.md").require_section("A")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe")
    with pytest.raises(NoSection, match=r"binary\.md is not a text"):
        ReportPage(tmp_path / "binary.md").require_section("A")


def test_a_text_cannot_break_out_of_its_section(page):
    with pytest.raises(ValueError, match="mark"):
        page.replace_section("A", "<!-- end: A -->", command="make it")


@pytest.mark.parametrize("title", ["A restore", "Failover", "A thousand kills"])
def test_the_page_of_this_project_has_its_sections(title):
    ReportPage(Path(__file__).parents[2] / "docs" / "durability.md").require_section(title)
