"""A Markdown page of measurements, in which each program rewrites its own section and no other."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_BEGIN: Final = "<!-- begin: {} -->\n"
_END: Final = "<!-- end: {} -->\n"
_MARK: Final = "<!-- "


class NoSection(Exception):
    """The page has not got the section, once and between its marks; the message says why."""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page that people wrote, with sections between marks, which programs write."""

    path: Path

    def require_section(self, title: str) -> None:
        """Look for the section before long work whose result it is to get; raises `NoSection`."""
        self._split(title)

    def replace_section(self, title: str, text: str, *, command: str) -> None:
        """Put `text`, Markdown, below the heading `title`, with the `command`, day and machine.

        All else on the page stays to the byte. Raises `NoSection`, and `ValueError` for a text that
        has a mark in it.
        """
        if _MARK in text:
            raise ValueError("The text has a mark of a section in it.")
        before, after = self._split(title)
        lines = [f"## {title}", "", describe_run(command), "", text.strip(), ""]
        # In one step: whoever reads meanwhile gets the page whole.
        fresh = self.path.with_name(f".{self.path.name}-{os.getpid()}")
        try:
            fresh.write_text(before + "\n".join(lines) + after, encoding="utf-8")
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)

    def _split(self, title: str) -> tuple[str, str]:
        """Split the page into all up to the section's first mark, and all from its last one on."""
        try:
            page = self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise NoSection(f"{self.path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise NoSection(f"{self.path} is not a text in UTF-8.") from None
        begin, end = _BEGIN.format(title), _END.format(title)
        if (page.count(begin), page.count(end)) != (1, 1) or page.index(end) < page.index(begin):
            raise NoSection(
                f'{self.path} must have the lines "{begin.strip()}" and "{end.strip()}", each once.'
            )
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        return before + begin, end + after


def describe_run(command: str) -> str:
    """Describe who wrote a report, when, and on what machine, in a sentence over two lines.

    The load average, of five minutes, tells whether others worked on it too.
    """
    day, load = datetime.now(UTC).date().isoformat(), os.getloadavg()[1]
    return f"Written by `{command}` on {day},\non {describe_machine()}; load average {load:.0f}."


def describe_machine() -> str:
    """Describe this machine by its cores and its memory."""
    kilobytes = Path("/proc/meminfo").read_text(encoding="ascii").split()[1]
    gigabytes = round(int(kilobytes) / (1 << 20))
    return f"{os.cpu_count()} {platform.machine()} cores with {gigabytes} GiB, everything on it"
