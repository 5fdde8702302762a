"""Panels drawn with matplotlib, each where the dashboard has it."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, MultipleLocator

from tests.dashboard.panels import COLUMNS, Dashboard, Panel
from tests.dashboard.prometheus import Line
from tests.dashboard.units import UNITS

NamedLines = Sequence[tuple[str, Line]]
_CELL: Final = (0.66, 0.34)  # inches
_HEAD: Final = 0.75  # inches for title and caption
_GAP: Final = 0.06
_INK, _PALE, _GROUND = "#24292e", "#8b949e", "#f4f5f5"
_COLOURS: Final = ("#73bf69", "#f2b632", "#5794f2", "#ff780a", "#f2495c", "#b877d9", "#37872d",
                   "#1f60c4", "#c4162a", "#8f3bb8", "#806eb7", "#3f2b5b")  # fmt: skip
_LEGEND: Final = {"columns": 3, "row": 0.14, "foot": 0.28}  # inches of a row, and of the time axis


def draw(dashboard: Dashboard, lines: Mapping[Panel, NamedLines], caption: str, path: Path) -> None:
    """Write the picture to a PNG file; `lines` are those of each panel, with their names.

    All panels have the same span of time, from the first point of any to the last.
    """
    times = [time for each in lines.values() for _, line in each for time, _ in line.points]
    span = _dates([min(times), max(times)])
    width, height = COLUMNS * _CELL[0], dashboard.rows * _CELL[1] + _HEAD
    figure = Figure(figsize=(width, height), dpi=100, facecolor=_GROUND)
    figure.text(0.006, 1 - 0.28 / height, dashboard.title, size=14, weight="bold", color=_INK)
    figure.text(0.006, 1 - 0.55 / height, caption, size=9, color=_PALE)
    for panel in dashboard.panels:
        _Frame(figure, panel).fill(lines[panel], span)
    draft = path.with_suffix(".part")
    figure.savefig(draft, format="png")
    draft.replace(path)


class _Frame:
    """The box of a panel on the figure, in inches from the bottom left corner."""

    def __init__(self, figure: Figure, panel: Panel) -> None:
        self._figure, self._panel = figure, panel
        top = figure.get_figheight() - _HEAD - panel.row * _CELL[1]
        self._left, self._width = panel.column * _CELL[0] + _GAP, panel.width * _CELL[0] - 2 * _GAP
        self._height = panel.height * _CELL[1] - 2 * _GAP
        self._bottom = top - self._height - _GAP

    def fill(self, lines: NamedLines, span: Sequence[datetime]) -> None:
        box = self._add(0, 0, self._width, self._height)
        box.axis("off")
        box.add_patch(Rectangle((0, 0), 1, 1, facecolor="white", edgecolor="#d8d9da"))
        box.text(0.02, 1 - 0.2 / self._height, self._panel.title, size=9, weight="bold", color=_INK)
        if not lines:
            box.text(0.5, 0.45, "No data", ha="center", size=12, color=_PALE)
        elif self._panel.kind == "stat":
            self._write_figures(box, lines)
        else:
            _dress(self._plot(lines), self._panel, span)

    def _write_figures(self, box: Axes, lines: NamedLines) -> None:
        for number, (name, line) in enumerate(lines):
            place = (number + 0.5) / len(lines)
            text = UNITS[self._panel.unit](line.points[-1][1])
            box.text(place, 0.45, text, ha="center", size=22, color=_COLOURS[0])
            box.text(place, 0.25, name, ha="center", size=9, color=_INK)

    def _plot(self, lines: NamedLines) -> Axes:
        rows = math.ceil(len(lines) / _LEGEND["columns"])
        foot = _LEGEND["foot"] + rows * _LEGEND["row"] + 0.06
        axes = self._add(0.62, foot, self._width - 0.72, self._height - foot - 0.32)
        if self._panel.is_stacked:
            _stack(axes, lines)
        else:
            for (name, line), colour in zip(lines, _cycle(len(lines)), strict=True):
                times, values = _split(line)
                axes.plot(times, values, label=name, color=colour, linewidth=1.2)
                axes.fill_between(times, values, color=colour, alpha=0.06)
        axes.legend(
            loc="lower left", bbox_to_anchor=(0.1 / self._width, 0.03 / self._height),
            bbox_transform=self._boxed(), ncols=_LEGEND["columns"], fontsize=6.5, frameon=False,
            borderpad=0, labelspacing=0.25, handlelength=1, columnspacing=1, labelcolor=_INK,
        )  # fmt: skip
        return axes

    def _boxed(self):
        """What takes shares of this box to places on the figure."""
        return self._figure.axes[-2].transAxes

    def _add(self, left: float, bottom: float, width: float, height: float) -> Axes:
        across, up = self._figure.get_size_inches()
        place = ((self._left + left) / across, (self._bottom + bottom) / up)
        return self._figure.add_axes((*place, width / across, height / up))


def _stack(axes: Axes, lines: NamedLines) -> None:
    instants = sorted({time for _, line in lines for time, _ in line.points})
    heights = [[dict(line.points).get(time, 0.0) for time in instants] for _, line in lines]
    colours = _cycle(len(lines))
    names = [name for name, _ in lines]
    axes.stackplot(_dates(instants), heights, labels=names, colors=colours, alpha=0.55)


def _dress(axes: Axes, panel: Panel, span: Sequence[datetime]) -> None:
    highest = axes.dataLim.ymax
    axes.set_ylim(0, highest * 1.05 if highest > 0 else 1)
    axes.set_xlim(*span)
    axes.yaxis.set_major_formatter(lambda value, _: UNITS[panel.unit](value))
    if panel.unit == "bytes":  # whose round figures are powers of two
        axes.yaxis.set_major_locator(MultipleLocator(2 ** math.ceil(math.log2(highest / 4))))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=6))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    axes.tick_params(labelsize=6.5, labelcolor=_INK, length=0)
    axes.grid(visible=True, color="#e4e5e6", linewidth=0.6)
    for side in axes.spines.values():
        side.set_visible(False)


def _cycle(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]


def _split(line: Line) -> tuple[list[datetime], list[float]]:
    return _dates([time for time, _ in line.points]), [value for _, value in line.points]


def _dates(times: Sequence[float]) -> list[datetime]:
    return [datetime.fromtimestamp(time, UTC) for time in times]
