"""Files that are there whole or not at all, whatever a command is interrupted by."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

_USUAL: Final = 0o666  # before the umask, as for every new file


@contextmanager
def open_whole(path: Path, *, is_replacing: bool = True, mode: int = _USUAL) -> Iterator[BinaryIO]:
    """Give a new file beside `path`, which takes that name when the block ends well.

    When it does not, nothing of it stays, and what was there before does. Raises `OSError`, and
    `FileExistsError` where something is there already and `is_replacing` is not said.
    """
    if not is_replacing and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        error.filename = str(path)
        raise
    try:
        os.fchmod(descriptor, mode & ~_read_umask())
        with os.fdopen(descriptor, "w+b") as file:
            yield file
        if is_replacing:
            Path(name).replace(path)
        else:
            os.link(name, path)  # which replaces nothing that somebody has put there meanwhile
    finally:
        Path(name).unlink(missing_ok=True)


def _read_umask() -> int:
    umask = os.umask(0o077)  # it can only be read by setting it
    os.umask(umask)
    return umask
