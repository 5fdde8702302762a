"""The state of a rescan, in a file, so that the next call goes on from there."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import click

from registry.terminal.whole_files import open_whole

if TYPE_CHECKING:
    from registry.services.documents.rescan import ScanPlace

_FORM: Final = "rescan 1"


@dataclass
class RescanState:
    """A rescan of all `since` an instant: how far it came, and the numbers of its verdicts."""

    since: str
    begin: str
    after: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None, since: datetime) -> Self:
        """Read the state of the rescan that was begun, or begin one.

        Raises `click.UsageError` for a file of another one, or of something else.
        """
        text = since.isoformat()
        if path is None or not path.exists():
            return cls(text, text)
        try:
            members = json.loads(path.read_text(encoding="utf-8"))
            is_ours = members.pop("form") == _FORM
            state = cls(**members)
            datetime.fromisoformat(state.begin)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            is_ours, state = False, cls(text, text)
        if not is_ours:
            raise click.UsageError(f"{path} is not the state of a rescan.")
        if state.since != text:
            raise click.UsageError(f"{path} is of a rescan with another --since; give that.")
        return state

    def make_place(self) -> "ScanPlace":
        """Make the place from which it goes on."""
        from registry.services.documents.rescan import ScanPlace

        return ScanPlace(datetime.fromisoformat(self.begin), self.after)

    def move(self, place: "ScanPlace", counts: Mapping[str, int]) -> None:
        """Note how far it came."""
        self.begin, self.after = place.begin.isoformat(), place.after
        self.counts = dict(counts)

    def save(self, path: Path | None) -> None:
        """Replace the file in one step, for our eyes alone."""
        if path is not None:
            with open_whole(path, mode=0o600) as file:
                file.write(json.dumps({"form": _FORM, **asdict(self)}).encode())
