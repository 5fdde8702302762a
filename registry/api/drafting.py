"""What bodies of every version become; how their members are called is each one's own."""

from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from registry.api.requests.json_body import Members
from registry.domain.drafts import AnnouncedFile, Draft


class BecomesAnnounced(Members):
    """Fields as `Announced` has them; the digest may be an object with its `value`."""

    @post_load
    def to_announced(self, data: dict[str, Any], **_: Any) -> Any:
        """An `Announced`."""
        digest = data.pop("digest", None)
        return AnnouncedFile(**data, digest=digest and digest["value"])


class BecomesPayment(Members):
    """Fields as the store keeps payment data."""

    @post_load
    def to_stored(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """As the store keeps it: JSON has no dates."""
        return {**data, "due_date": data["due_date"].isoformat(timespec="seconds")}


class BecomesDraft(Members):
    """Fields as `Draft` has them, and perhaps `expires_at`."""

    @validates_schema
    def needs_body_to_be_main(self, data: dict[str, Any], **_: Any) -> None:
        """A body that is the main content has to be there."""
        if data.get("is_body_main") and "body" not in data:
            main, body = self.fields["is_body_main"].data_key, self.fields["body"].data_key
            raise ValidationError(f"is required when {main} is true", body or "")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> Any:
        """A `Draft`; the expiry date is the message type's to decide (contract 4.5)."""
        data.pop("expires_at", None)
        is_body_main = data.pop("is_body_main", False)
        return Draft(
            announced_files=tuple(data.pop("announced_files", ())),
            is_body_main=is_body_main if "body" in data else None,
            **data,
        )
