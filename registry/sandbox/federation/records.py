"""Facts that the stand-ins serve, kept in JSON files that others may change."""

import json
import threading
from pathlib import Path
from typing import Any


class JsonFile:
    """A JSON object that is read again whenever the file changes, as data of others may."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._content: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """Give the member of this name, None when there is none."""
        with self._lock:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                self._content = json.loads(self._path.read_text())
                self._stamp = stamp
        return self._content.get(key)
