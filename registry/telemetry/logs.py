"""Logs as JSON lines with a trace id, and with no person or secret in them."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog

# What may slip into a message of somebody else's: bearer tokens and JWTs, and SSINs, which are
# eleven digits, bare or as people write them.
_SECRETS: Final = re.compile(
    r"(?i:bearer)\s+[^\s\"',;]+"
    r"|eyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?"
    r"|(?<!\d)\d{11}(?!\d)"
    r"|(?<!\d)\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\d)"
)
# Members that are personal or secret whatever they hold.
_NEVER: Final = frozenset({"token", "ssin", "file_name", "subject", "authorization", "password"})
_MASK: Final = "***"


def configure(level: str) -> None:
    """Send everything, libraries' logs too, through the mask to standard output."""
    renderer = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            masked,
            structlog.processors.JSONRenderer(_json),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(renderer)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("botocore", "boto3", "urllib3", "s3transfer"):
        logging.getLogger(chatty).setLevel(max(logging.INFO, root.level))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def masked(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    """The same event with everything personal or secret blotted out, however deep it sits."""
    return {name: _MASK if name in _NEVER else _masked(value) for name, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub(_MASK, value)
    if isinstance(value, dict):
        return {name: _MASK if name in _NEVER else _masked(held) for name, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(held) for held in value]
    return (
        value if isinstance(value, int | float | bool | None) else _SECRETS.sub(_MASK, str(value))
    )


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event).decode()
