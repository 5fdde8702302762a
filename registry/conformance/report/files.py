"""Files that have their name when they are whole."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step; raises `OSError`, and then leaves what was there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
