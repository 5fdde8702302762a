"""What the picture of the dashboard is drawn by; its lines come with `make dashboard-picture`."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from tests.dashboard.panels import COLUMNS, KINDS, Dashboard, Query
from tests.dashboard.units import UNITS

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "registry.json"
PANELS = Dashboard.read(DASHBOARD).panels


def cells(panel):
    return {
        (column, row)
        for column in range(panel.column, panel.column + panel.width)
        for row in range(panel.row, panel.row + panel.height)
    }


def test_each_panel_and_each_of_its_queries_is_read():
    members = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]

    assert [panel.title for panel in PANELS] == [panel["title"] for panel in members]
    assert [query.expression for panel in PANELS for query in panel.queries] == [
        target["expr"] for panel in members for target in panel["targets"]
    ]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_each_panel_can_be_drawn(panel):
    assert panel.kind in KINDS
    assert panel.unit in UNITS
    assert panel.column + panel.width <= COLUMNS


def test_no_panel_lies_on_another():
    assert not [
        (one.title, other.title)
        for one, other in combinations(PANELS, 2)
        if cells(one) & cells(other)
    ]


def test_a_line_has_the_values_of_its_labels_in_its_name():
    query = Query("up", "{{job}} at {{ instance }}{{absent}}")

    assert query.name_line({"job": "registry", "instance": "web1"}) == "registry at web1"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("short", 0.0, "0"),
        ("short", 12_000.0, "12k"),
        ("s", 0.0, "0 s"),
        ("s", 0.25, "250 ms"),
        ("s", 90.0, "1.5 min"),
        ("d", 364.0, "364 days"),
        ("percentunit", 0.001, "0.1 %"),
        ("bytes", 3.0 * 2**20, "3 MiB"),
        ("reqps", 2.5, "2.5 req/s"),
        ("cps", 0.2, "0.2 c/s"),
    ],
)
def test_figures_have_their_units(unit, value, text):
    assert UNITS[unit](value) == text
