"""gunicorn's own lines: as it writes them, but masked, and behind a writer nobody waits for."""

import logging
import sys
from typing import Any

from gunicorn.glogging import Logger

from registry.telemetry.log_writer import LogWriter
from registry.telemetry.logs import LineHandler
from registry.telemetry.masking import mask_text
from registry.telemetry.output import STDERR, STDOUT


class QueuedLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """Takes the place of gunicorn's logger, in the process that starts workers and in them.

    A client can have gunicorn write a line, by a malformed request; if that went to a pipe that
    nobody reads, a few thousand of them would stop the service.
    """

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, at the start and whenever settings are read again."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in [one for one in log.handlers if type(one) is logging.StreamHandler]:
                log.removeHandler(handler)
                log.addHandler(_make_handler(handler))


class _Handler(LineHandler):
    """Known to gunicorn as its own, so that it is replaced when settings are read again."""

    _gunicorn = True

    def format(self, record: logging.LogRecord) -> str:
        """Mask what others wrote: a request line may hold a number or a token."""
        return mask_text(super().format(record))


def _make_handler(of_stream: "logging.StreamHandler[Any]") -> _Handler:
    writer: LogWriter = STDOUT if of_stream.stream is sys.stdout else STDERR
    handler = _Handler(writer)
    handler.setFormatter(of_stream.formatter)
    return handler
