"""Members of bodies as version 2.1 takes them: what it does not know is ignored (contract 6.32)."""

from typing import Any, Final
from uuid import UUID

from marshmallow import EXCLUDE, ValidationError

from registry.api.requests import body_fields, json_body
from registry.api.requests.parameter_fields import Identifier
from registry.domain.languages import LANGUAGES

NOWHERE: Final = UUID(int=0)  # no message has it: ours are of version 4


class LenientMembers(json_body.Members):
    """An object of a body; members it does not know are ignored."""

    class Meta:
        """Members it does not know are left alone."""

        unknown = EXCLUDE


class LenientTexts(body_fields.Texts):
    """A text in nl, fr, de, or several of them; other languages are left alone."""

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> dict[str, str]:
        if isinstance(value, dict):
            value = {language: text for language, text in value.items() if language in LANGUAGES}
        return super()._deserialize(value, *rest, **more)


class MessageId(Identifier):
    """The id of a message; a text that is none names a message that does not exist."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> UUID:
        if not isinstance(value, str):
            raise ValidationError("is not a text")
        try:
            return super()._deserialize(value, attr, data, **more)
        except ValidationError:
            return NOWHERE
