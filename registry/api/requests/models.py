"""What the queries of every version ask for; how their parameters are called is each one's own."""

from typing import Any

from marshmallow import Schema, ValidationError, post_load, validates_schema

from registry.domain.belgian_time import find_start_of
from registry.domain.languages import fold
from registry.domain.queries import MessageQuery, Page, Search


class AsksForPage(Schema):
    """Fields `page` and `page_size`, perhaps absent."""

    @post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> Any:
        """A `Page`."""
        return _page(data)


class AsksForMessages(Schema):
    """Fields as `MessageQuery` has them, and those of a page; `text` in `language` is a search."""

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needs_language_to_search(self, _: Any, given: dict[str, Any], **__: Any) -> None:
        """A language is required whenever there is a text, be it right or wrong."""
        text, language = self.fields["text"].data_key, self.fields["language"].data_key
        if text in given and language not in given:
            raise ValidationError(f"is required when {text} is given", language or "")

    @post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> Any:
        """A `MessageQuery`; days begin at midnight in Belgium, texts are folded."""
        text, language = data.pop("text", None), data.pop("language", None)
        page = _page(data)
        for name in ("received_before", "received_after", "expired_before", "expired_after"):
            if name in data:
                data[name] = find_start_of(data[name])
        return MessageQuery(
            **data | {"partitions": frozenset(data.get("partitions", ()))},
            page=page,
            search=Search(text=fold(text), language=language) if text else None,
        )


def _page(data: dict[str, Any]) -> Page:
    return Page(number=data.pop("page", 1), size=data.pop("page_size", 25))
