"""The state of a check, in a file, so that the next call goes on from there."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

import click

from registry.terminal.whole_files import open_whole

DOCUMENTS: Final = "documents"  # the first step: rows against objects
OBJECTS: Final = "objects"
_FORM: Final = 1


@dataclass
class CheckState:
    """A check of one `scope`, all that is or one e-Box, which is named by a keyed hash alone.

    `after` is the last key that `step` is done with.
    """

    scope: str
    is_deep: bool
    step: str = DOCUMENTS
    after: str = ""
    documents: int = 0
    objects: int = 0
    bytes_read: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    unsettled_count: int = 0

    @classmethod
    def load(cls, path: Path | None, scope: str, *, is_deep: bool) -> Self:
        """Read the state of the check that was begun, or begin one.

        Raises `click.UsageError` for a file of another check, or of something else.
        """
        fresh = cls(scope, is_deep)
        if path is None or not path.exists():
            return fresh
        try:
            members = json.loads(path.read_text(encoding="utf-8"))
            is_ours = members.pop("form") == _FORM
            state = cls(**members)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            is_ours, state = False, fresh
        if not is_ours:
            raise click.UsageError(f"{path} is not the state of a check.")
        if (state.scope, state.is_deep) != (scope, is_deep):
            raise click.UsageError(f"{path} is of a check with other options; give these, or none.")
        return state

    def save(self, path: Path | None) -> None:
        """Replace the file in one step, for our eyes alone."""
        if path is None:
            return
        with open_whole(path, mode=0o600) as file:
            file.write(json.dumps({"form": _FORM, **asdict(self)}).encode())
