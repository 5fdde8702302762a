"""Puts into sdist and wheel what a release has made before: man pages, completions, versions."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MADE = Path(".cache", "release")  # by registry/release; where nobody made it, all else is built


class MadeForRelease(BuildHookInterface):  # type: ignore[misc] # hatchling has no types
    """Adds what lies in `.cache/release`, in an sdist at the same place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add it to what is built."""
        made = Path(self.root) / MADE
        if version == "editable" or not made.is_dir():
            return
        if self.target_name == "sdist":
            build_data["force_include"][str(made)] = str(MADE)
        else:
            build_data["shared_data"][str(made / "share")] = "share"
            build_data["force_include"][str(made / "constraints.txt")] = (
                "registry/deploy/constraints.txt"
            )
