"""`python docs/site/house.py`: draws docs/house.svg, the rooms as pyproject.toml has them.

The floors are the layers that import-linter keeps: a room sees only what is below it.
"""

import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PICTURE: Final = ROOT / "docs" / "house.svg"
# What each room is for, in words that fit into it.
_PURPOSES: Final = {
    "sandbox": "a federation to try it with",
    "release": "makes releases",
    "gunicorn": "tells gunicorn how to serve",
    "app": "Flask",
    "serving": "slow clients",
    "worker": "by the clock",
    "cli": "operators",
    "sender": "senders",
    "conformance": "tests any",
    "api": "HTTP: versions 3 and 2.1, their wire names and errors",
    "diagnosis": "causes, and what to do",
    "wiring": "assembly: which class is used",
    "services": "use cases: consultation, publication, events, retention",
    "audit": "the sealed trail",
    "store": "SQL → PostgreSQL",
    "blobs": "documents → S3",
    "federation": "tokens, mandates, events",
    "http_client": "calls with deadlines",
    "terminal": "what people type and read",
    "certificates": "asked for, checked",
    "domain": "rules: values and decisions, no I/O",
}
_LEFT: Final = 110  # of the walls; the picture is as wide again on the right
_WIDTH: Final = 680  # between the walls
_FLOOR: Final = 46  # from one to the next
_EAVES: Final = 128  # where the roof ends
_GAP: Final = 6
_FILLS: Final = {0: "#e9edf3", 2: "#d7ebe3", 10: "#1b2a41"}  # attic, entrances, foundation
_STYLE: Final = (
    "text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;text-anchor:middle;"
    "fill:#1b2a41}.n{font-size:14px;font-weight:600}.p{font-size:11.5px;fill:#4a5a70}"
    ".b .n{fill:#fff}.b .p{fill:#c9d3e0}.r .n{fill:#fff;font-size:17px}.r .p{fill:#d7ebe3}"
)


def draw_house() -> str:
    """Draw all of it, as SVG."""
    floors = list(_read_floors())
    height = _EAVES + len(floors) * _FLOOR + 44
    width = _WIDTH + 2 * _LEFT
    middle, eaves = width // 2, _EAVES - 4
    roof = f"M{_LEFT - 34} {eaves} L{middle} 14 L{width - _LEFT + 34} {eaves} Z"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>The house: its rooms, floor by floor</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>',
        '<g class="r">',
        f'<path d="{roof}" fill="#0b6e4f"/>',
        f'<text class="n" x="{middle}" y="78">registry</text>',
        f'<text class="p" x="{middle}" y="102">a room sees only the rooms below it</text></g>',
    ]
    for number, rooms in enumerate(floors):
        lines += _draw_floor(number, rooms)
    beside = "beside the house: settings, telemetry, migrations"
    lines.append(f'<text class="p" x="{middle}" y="{height - 18}">{beside}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _read_floors() -> Iterator[list[str]]:
    """Read the rooms of each floor, from the attic down."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    for layer in layers:
        yield [room.strip().removeprefix("registry.") for room in layer.split("|")]


def _draw_floor(number: int, rooms: list[str]) -> Iterator[str]:
    """Draw rooms side by side, each as wide as what is in it needs."""
    top = _EAVES + number * _FLOOR
    needs = [max(len(_PURPOSES[room]), len(room)) + 8 for room in rooms]
    free = _WIDTH - _GAP * (len(rooms) - 1)
    left = float(_LEFT)
    for room, need in zip(rooms, needs, strict=True):
        width = free * need / sum(needs)
        is_dark = ' class="b"' if number == max(_FILLS) else ""
        middle = left + width / 2
        yield f"<g{is_dark}>"
        yield (
            f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{_FLOOR - _GAP}" rx="4"'
            f' fill="{_FILLS.get(number, "#f4f6f9")}" stroke="#c3ccd8"/>'
        )
        yield f'<text class="n" x="{middle:.0f}" y="{top + 17}">{room}</text>'
        yield f'<text class="p" x="{middle:.0f}" y="{top + 32}">{escape(_PURPOSES[room])}</text>'
        yield "</g>"
        left += width + _GAP


if __name__ == "__main__":
    PICTURE.write_text(draw_house())
