"""Patches of messages in version 3, and the answers to them."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from marshmallow.fields import Nested

from registry.api.requests.body_fields import Items, StrictBoolean, Text
from registry.api.requests.json_body import Fault, Members
from registry.api.requests.parameter_fields import MessageId
from registry.api.requests.validators import SHORT
from registry.api.responses.fields import AnswerSchema
from registry.domain.errors import IssueKind
from registry.domain.messages import MessageChange

_TWICE: Final = Fault("is the same as that of an item before", IssueKind.INVALID_INPUT)


class MessageUpdatePatchSchema(Members):
    """A change of one message."""

    former_names: ClassVar = {"visible": "isVisible"}

    message_id = MessageId(data_key="messageId", required=True)
    is_visible = StrictBoolean(data_key="isVisible")
    partition = Text(validate=SHORT)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_change(self, _: Any, data: Any, **__: Any) -> None:
        """Require at least one of the two, be it right or wrong."""
        if (
            isinstance(data, dict)
            and not {
                "isVisible",
                "visible",
                "partition",
            }
            & data.keys()
        ):
            raise ValidationError("has neither isVisible nor partition")

    @post_load
    def to_change(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a `MessageChange`."""
        return MessageChange(**data)


class MessagesPatchSchema(Members):
    """Messages to change, each named once (contract 6.7)."""

    former_names: ClassVar = {"totalItems": None}  # version 2.1 requires it; it is not used

    items = Items(Nested(MessageUpdatePatchSchema), required=True, least=1, most=100)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_messages_differ(self, _: Any, data: dict[str, Any], **__: Any) -> None:
        """Refuse a message that is named twice: it would be unclear which change it gets."""
        faults = {at: {"messageId": [_TWICE]} for at in _find_doubles(data.get("items"))}
        if faults:
            raise ValidationError({"items": faults})

    @post_load
    def to_changes(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a tuple of `MessageChange`s, in their order."""
        return tuple(data["items"])


class MessageActionPatchSchema(Members):
    """The one thing that can be done to an action: there is no way back (contract 6.11)."""

    is_executed = StrictBoolean(
        data_key="isExecuted", required=True, validate=validate.Equal(True, error="is not true")
    )


class UpdatedMessageSchema(AnswerSchema):
    """A message as it stands after the change."""

    message_id = fields.UUID(data_key="messageId", required=True)
    is_visible = fields.Boolean(data_key="isVisible", required=True)
    partition = fields.String()


def _find_doubles(items: Any) -> Iterator[int]:
    """Find the positions of items, right or wrong, whose message an item before them names."""
    message_ids = set()
    for at, item in enumerate(items if isinstance(items, list) else ()):
        message_id = item.get("messageId") if isinstance(item, dict) else None
        if isinstance(message_id, str):
            if message_id in message_ids:
                yield at
            message_ids.add(message_id)
