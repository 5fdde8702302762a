"""Logs as JSON lines with a trace id, and with no person or secret in them."""

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import orjson
import structlog

from registry.domain.personal_data import MASK, mask_personal_numbers

# What may slip into a message of somebody else's, beside personal numbers: bearer tokens, JWTs.
# A word of a JWT's letters without a point is passed over whole, not tried again from each of its
# `eyJ`: the time grows with the text and no faster, whoever wrote it.
_SECRETS: Final = re.compile(
    r"(?i:bearer)\s+[^\s\"',;]+|eyJ[\w-]++(?:(?:\.[\w-]*+)++|(?P<harmless>))", re.ASCII
)
# Members that are personal or secret whatever they hold.
_NEVER: Final = frozenset({"token", "ssin", "file_name", "subject", "authorization", "password"})


def configure(level: str) -> None:
    """Send everything, libraries' logs too, through the mask to standard output."""
    renderer = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            mask_event,
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
    # Our own lines, one a request, skip the machinery that others' records need.
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            mask_event,
            structlog.processors.JSONRenderer(_json),
        ],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=False,  # a later `configure` counts, and a later standard output
    )


class _Lines(structlog.PrintLogger):
    """Lines of one of our loggers, on what is standard output now."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _name(logger: _Lines, _method: str, event: MutableMapping[str, Any]) -> Any:
    event["logger"] = logger.name
    return event


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    """Mask everything personal or secret in an event, however deep it sits."""
    return _mask_members(event)


def _mask_members(members: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        _mask_text(str(name)): MASK if str(name).lower() in _NEVER else _mask_value(value)
        for name, value in members.items()
    }


def _mask_value(value: Any) -> Any:
    if isinstance(value, str):
        return _mask_text(value)
    if isinstance(value, Mapping):
        return _mask_members(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask_value(item) for item in value]
    if isinstance(value, int | float | None):
        return MASK if mask_personal_numbers(str(value)) == MASK else value
    return _mask_text(str(value))


def _mask_text(text: str) -> str:
    # Most names and many values are one word: no number, and no token, which has a point in it or
    # a space before it. The searches below are what a line of log costs.
    if text.replace("_", "").isalpha():
        return text
    # secrets first: a token with a mask in its middle would no longer look like one
    return mask_personal_numbers(_SECRETS.sub(_replace_secret, text))


def _replace_secret(match: re.Match[str]) -> str:
    return MASK if match["harmless"] is None else match[0]


def _json(event: Any, **_: Any) -> str:
    try:
        return orjson.dumps(event).decode()
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(event)
