"""Domain values that queries and bodies of every version become; each has names of its own."""

from typing import Any

from marshmallow import Schema, ValidationError, post_load, validates_schema

from registry.api.requests.json_body import Members
from registry.domain.belgian_time import find_start_of
from registry.domain.drafts import AnnouncedFile, Draft
from registry.domain.languages import fold
from registry.domain.queries import MessageQuery, Page, Search


class PageModel(Schema):
    """Fields `page` and `page_size`, perhaps absent."""

    @post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a `Page`."""
        return _make_page(data)


class MessageQueryModel(Schema):
    """Fields as `MessageQuery` has them, and those of a page; `text` in `language` is a search."""

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_search_language(self, _: Any, data: dict[str, Any], **__: Any) -> None:
        """Require a language whenever there is a text, be it right or wrong; "" is none."""
        text, language = self.fields["text"].data_key, self.fields["language"].data_key
        if text in data and data[text] and language not in data:
            raise ValidationError(f"is required when {text} is given", language or "")

    @post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a `MessageQuery`; days begin at midnight in Belgium, texts are folded."""
        text, language = data.pop("text", None), data.pop("language", None)
        page = _make_page(data)
        for name in ("received_before", "received_after", "expired_before", "expired_after"):
            if name in data:
                data[name] = find_start_of(data[name])
        return MessageQuery(
            **data | {"partitions": frozenset(data.get("partitions", ()))},
            page=page,
            search=Search(text=fold(text), language=language) if text else None,
        )


class AnnouncedFileModel(Members):
    """Fields as `AnnouncedFile` has them; the digest may be an object with its `value`."""

    @post_load
    def to_announced_file(self, data: dict[str, Any], **_: Any) -> Any:
        """Make an `AnnouncedFile`."""
        digest = data.pop("digest", None)
        return AnnouncedFile(**data, digest=digest and digest["value"])


class PaymentModel(Members):
    """Fields as the store keeps payment data."""

    @post_load
    def to_payment_data(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Make payment data as the store keeps it: JSON has no dates, so `due_date` is a text."""
        return {**data, "due_date": data["due_date"].isoformat(timespec="seconds")}


class DraftModel(Members):
    """Fields as `Draft` has them, and perhaps `expires_at`."""

    @validates_schema
    def check_main_body(self, data: dict[str, Any], **_: Any) -> None:
        """Require the body when it is the main content."""
        if data.get("is_body_main") and "body" not in data:
            main, body = self.fields["is_body_main"].data_key, self.fields["body"].data_key
            raise ValidationError(f"is required when {main} is true", body or "")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a `Draft`; the expiry date is the message type's to decide (contract 4.5)."""
        data.pop("expires_at", None)
        is_body_main = data.pop("is_body_main", False)
        return Draft(
            announced_files=tuple(data.pop("announced_files", ())),
            # None without a body: version 3 then leaves the member out, version 2.1 says false.
            is_body_main=is_body_main if "body" in data else None,
            **data,
        )


def _make_page(data: dict[str, Any]) -> Page:
    return Page(number=data.pop("page", 1), size=data.pop("page_size", 25))
