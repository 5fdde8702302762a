"""What a Grafana dashboard's JSON says of its panels: place, queries, names of lines, unit."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

COLUMNS: Final = 24  # of Grafana's grid
KINDS: Final = frozenset({"timeseries", "stat"})
_LABEL: Final = re.compile(r"\{\{ *(\w+) *\}\}")


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and what its lines are called: `{{label}}` stands for a label's value."""

    expression: str
    legend: str

    def name_line(self, labels: Mapping[str, str]) -> str:
        return _LABEL.sub(lambda match: labels.get(match[1], ""), self.legend)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; place and size are in cells of the grid, from its top left corner."""

    title: str
    kind: str
    unit: str
    is_stacked: bool
    column: int
    row: int
    width: int
    height: int
    queries: tuple[Query, ...]

    @classmethod
    def of(cls, members: Mapping) -> Self:
        defaults, place = members["fieldConfig"]["defaults"], members["gridPos"]
        return cls(
            members["title"],
            members["type"],
            defaults["unit"],
            defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal",
            *(place[name] for name in "xywh"),
            tuple(Query(each["expr"], each["legendFormat"]) for each in members["targets"]),
        )


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A title and its panels."""

    title: str
    panels: tuple[Panel, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        members = json.loads(path.read_text(encoding="utf-8"))
        return cls(members["title"], tuple(Panel.of(panel) for panel in members["panels"]))

    @property
    def rows(self) -> int:
        return max(panel.row + panel.height for panel in self.panels)
