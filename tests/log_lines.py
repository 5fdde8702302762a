"""What a block writes to standard output, which is where our log goes."""

import json
import logging
import os
from contextlib import contextmanager
from tempfile import TemporaryFile

from registry.telemetry import logs, output


@contextmanager
def written_lines():
    """The lines that the block writes; they are there when it is over."""
    lines = []
    with TemporaryFile("w+", encoding="utf-8") as file:
        output.flush()
        before = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            yield lines
        finally:
            output.flush()
            os.dup2(before, 1)
            os.close(before)
        file.seek(0)
        lines += file.read().splitlines()


@contextmanager
def told(level="INFO"):
    """Members of the lines that are logged in the block, as our application configures logging."""
    root, lines = logging.getLogger(), []
    handlers, before = root.handlers[:], root.level
    with written_lines() as texts:
        logs.configure(level)
        try:
            yield lines
        finally:
            root.handlers[:] = handlers
            root.setLevel(before)
    lines += map(json.loads, texts)
