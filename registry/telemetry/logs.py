"""Logs as JSON lines with a trace id, and with no person or secret in them.

A line costs its caller a place in a queue: whatever happens to it, he neither waits nor fails.
"""

import json
import logging
from collections.abc import MutableMapping, Sequence
from functools import partial
from typing import Any, Final

import orjson
import structlog
from structlog.typing import Processor

from registry.telemetry.log_writer import LogWriter
from registry.telemetry.masking import mask_event
from registry.telemetry.output import STDOUT

_CHATTY: Final = ("botocore", "boto3", "urllib3", "s3transfer")


class LineHandler(logging.Handler):
    """Hands the records of Python's own loggers to a writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; one that cannot be told is told to be so, never raised or printed."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - whoever logs goes on
            line = _describe_failure(record.name, error)
        self._writer.write(line)


def configure(level: str) -> None:
    """Send everything, libraries' logs too, through the mask to standard output."""
    common: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        mask_event,
        structlog.processors.JSONRenderer(_json),
    ]
    handler = LineHandler(STDOUT)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *common],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
    # Our own lines, one a request, skip the machinery that others' records need.
    structlog.configure(
        processors=[partial(_render, [structlog.contextvars.merge_contextvars, _name, *common])],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=False,  # a later `configure` counts
    )


class _Lines:
    """Lines of one of our loggers."""

    def __init__(self, name: str) -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """Write a line, of any level."""
        STDOUT.write(line)

    debug = info = warning = error = critical = msg


def _render(
    processors: Sequence[Processor], logger: _Lines, method: str, event: MutableMapping[str, Any]
) -> Any:
    """Make a line of an event, or one that says why that could not be."""
    line: Any = event
    try:
        for process in processors:
            line = process(logger, method, line)
    except Exception as error:  # noqa: BLE001 - whoever logs goes on
        return _describe_failure(logger.name, error)
    return line


def _describe_failure(name: str, error: Exception) -> str:
    members = {"event": "a line of log could not be made", "logger": name, "level": "error"}
    return json.dumps({**members, "reason": type(error).__name__})


def _name(logger: _Lines, _method: str, event: MutableMapping[str, Any]) -> Any:
    event["logger"] = logger.name
    return event


def _json(event: Any, **_: Any) -> str:
    try:
        return orjson.dumps(event).decode()
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(event)
