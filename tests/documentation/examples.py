"""Code in the pages of the documentation: what is typed, and what it is said to print."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
# README of the sandbox says 8080; where it is in a test, nobody knows before.
PORT = "localhost:8080"
_BLOCK = re.compile(r'^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A block that is typed: its number on the page, and what is printed, where the page says so.

    In `output` an … stands for anything.
    """

    page: str
    number: int
    text: str
    output: str | None

    @property
    def program(self) -> str:
        """What it needs: the first word."""
        return self.text.split()[0]

    def __str__(self):
        return f"{self.page} {self.number}"


def read_blocks(page: str) -> list[tuple[str, str, str]]:
    """Read language, title and text of all blocks of a page that have a language."""
    return _BLOCK.findall((DOCS / page).read_text())


def read_files(page: str) -> dict[str, str]:
    """Read the blocks that are files, by the names which their titles give them."""
    return {title: text for _, title, text in read_blocks(page) if title}


def read_steps(page: str) -> list[Step]:
    """Read the blocks that are typed, in order."""
    blocks = read_blocks(page)
    steps = []
    for place, (language, _, text) in enumerate(blocks):
        if language == "sh":
            following = blocks[place + 1] if place + 1 < len(blocks) else ("", "", "")
            output = following[2] if following[0] in ("json", "text") else None
            steps.append(Step(page, len(steps), text, output))
    return steps
