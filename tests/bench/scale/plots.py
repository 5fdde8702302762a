"""Bars as SVG, of the verdicts and of each comparison; readable on light and dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

_WIDTH, _LABEL, _ROW, _HEAD = 760, 300, 24, 46
_BAR: Final = _WIDTH - _LABEL - 120
_GOOD, _BAD, _PLAIN, _INK = "#2e7d32", "#c62828", "#1565c0", "#222"
_MOST: Final = 4.0  # times the limit at which a bar of a verdict ends
_OPEN: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
    ' height="{height}" role="img" font-family="sans-serif" font-size="12">'
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a plot: `share` of the whole width, and the text behind it."""

    label: str
    share: float
    text: str
    colour: str


def draw_verdicts(verdicts: Sequence[dict[str, Any]]) -> str:
    """Each promise as a part of its limit; bars that cross the line do not hold."""
    bars = []
    for each in verdicts:
        part = each["figure"] / each["limit"]
        part = 1 / part if each["moreIsBetter"] else part
        text = f"{each['figure']:.2f} ({'≥' if each['moreIsBetter'] else '≤'} {each['limit']:g})"
        bars.append(
            Bar(each["what"], min(part / _MOST, 1.0), text, _GOOD if each["holds"] else _BAD)
        )
    return _draw("Each promise against its limit, the line", bars, line=1 / _MOST)


def draw_comparison(comparison: dict[str, Any]) -> str:
    """Values beside each other, with their ratio to the first."""
    values, ratios = comparison["values"], comparison["ratios"]
    most = max(values.values()) or 1.0
    bars = [
        Bar(name, value / most, f"{value:,.2f}  ({ratios[name]:.2f})", _PLAIN)
        for name, value in values.items()
    ]
    return _draw(f"{comparison['title']}, {comparison['unit']} (ratio to the first)", bars)


def _draw(title: str, bars: Sequence[Bar], line: float | None = None) -> str:
    height = _HEAD + _ROW * len(bars) + 12
    parts = [
        _OPEN.format(width=_WIDTH, height=height),
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        _write_text(10, 24, title, 'font-size="14" font-weight="bold"'),
    ]
    for number, bar in enumerate(bars):
        top = _HEAD + _ROW * number
        width = max(1.0, bar.share * _BAR)
        parts += [
            _write_text(_LABEL - 8, top + 13, _shorten(bar.label), 'text-anchor="end"'),
            f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="16" fill="{bar.colour}"/>',
            _write_text(_LABEL + width + 6, top + 13, bar.text),
        ]
    if line is not None:
        x = _LABEL + line * _BAR
        points = f'x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD - 6}" y2="{height - 8}"'
        parts.append(f'<line {points} stroke="{_INK}" stroke-dasharray="4 3"/>')
    return "\n".join([*parts, "</svg>", ""])


def _write_text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" fill="{_INK}" {attributes}>{escape(text)}</text>'


def _shorten(label: str, most: int = 48) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
