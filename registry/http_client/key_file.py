"""The file with our private key, which may be replaced while we run."""

import logging
from pathlib import Path
from threading import Lock
from typing import Final

from registry.domain.errors import KeyUnusable
from registry.http_client.private_key import Key, load_key

_Version = tuple[int, int, int] | None  # None: there is no such file

_log: Final = logging.getLogger(__name__)


class KeyFile:
    """Loads the key at once, raising `KeyUnusable`, and again whenever the file is another.

    A new file that cannot be used is in the log once, and the key before it goes on being used.
    """

    def __init__(self, path: Path, password: str | None, algorithm: str) -> None:
        self._path, self._password, self._algorithm = path, password, algorithm
        self._lock = Lock()
        self._version = _read_version(path)
        self._key = load_key(path, password, algorithm=algorithm)

    def get(self) -> Key:
        """Get the key that is in the file now, or the last that could be used."""
        with self._lock:
            version = _read_version(self._path)
            if version != self._version:
                self._version = version
                self._load()
            return self._key

    def _load(self) -> None:
        try:
            self._key = load_key(self._path, self._password, algorithm=self._algorithm)
        except KeyUnusable as error:
            _log.error("%s The key before it is still used.", error)
        else:
            _log.info("The key in %s is used from now on.", self._path)


def _read_version(path: Path) -> _Version:
    """Tell one content of a file from the next, as far as can be without reading it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
