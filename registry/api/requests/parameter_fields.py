"""Fields of paths and queries: they take the spelling of the contract, and no other."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from marshmallow import ValidationError, fields

INT32: Final = 2**31 - 1
NOWHERE: Final = UUID(int=0)  # no message has it: ours are of version 4

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Whole(fields.Integer):
    """A whole number written in ASCII digits; Python's `int` would take any script's."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if not _INTEGER.fullmatch(str(value)):
            raise ValidationError("is not a whole number")
        return int(value)


class Flag(fields.Boolean):
    """`true` or `false`, and no other spelling."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if value not in ("true", "false"):
            raise ValidationError("is neither true nor false")
        return bool(value == "true")


class Day(fields.Date):
    """A date as RFC 3339 writes it, yyyy-MM-dd."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> date:
        try:
            if _DATE.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValidationError("is not a date, yyyy-MM-dd")


class Identifier(fields.UUID):
    """A UUID as the guide writes it, in lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> UUID:
        text = str(value)  # in a body it may be anything
        if not _UUID.fullmatch(text):
            raise ValidationError("is not a UUID in lower case")
        return UUID(text)


class MessageId(Identifier):
    """The id of a message; a text that is none names a message that does not exist."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> UUID:
        if not isinstance(value, str):
            raise ValidationError("is not a text")
        try:
            return super()._deserialize(value, attr, data, **more)
        except ValidationError:
            return NOWHERE


class LenientParameter(fields.String):
    """A text that fits, or else an empty one, which is the id of nothing."""

    def __init__(self, fits: Callable[[str], None], **more: Any) -> None:
        super().__init__(**more)
        self.fits = fits

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        return text if self.takes(text) else ""

    def takes(self, text: str) -> bool:
        """Tell if the text fits."""
        try:
            self.fits(text)
        except ValidationError:
            return False
        return True
