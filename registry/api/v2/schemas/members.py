"""Members of bodies as version 2.1 takes them: what it does not know is ignored (contract 6.32)."""

from typing import Any

from marshmallow import EXCLUDE

from registry.api.requests import body_fields, json_body
from registry.domain.languages import LANGUAGES


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
