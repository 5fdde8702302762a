"""Conditions that a request sets on the answer (RFC 9110, 13)."""

import re
from typing import Final

from flask import request
from werkzeug.exceptions import PreconditionFailed

_TAG: Final = re.compile(r'(W/)?"([^"]*)"')


def check_if_match(tag: str) -> None:
    """Raise `PreconditionFailed` if If-Match is a list of ETags without this one as a strong one.

    `*` is met by whatever is there, and what is no list is no condition.
    """
    header = request.headers.get("If-Match", "")
    pairs = _TAG.findall(header)
    is_list = pairs and not _TAG.sub("", header).strip(" \t,")
    if is_list and ("", tag) not in pairs:
        raise PreconditionFailed
