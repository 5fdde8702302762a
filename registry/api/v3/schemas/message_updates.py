"""Patches of messages in version 3, and the answers to them."""

from collections.abc import Iterator
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from marshmallow.fields import Nested

from registry.api.requests.body_fields import Items, Text, Truth
from registry.api.requests.json_body import Fault, Members
from registry.api.requests.parameter_fields import Identifier
from registry.api.requests.validators import matching
from registry.api.responses.fields import Shown
from registry.domain.errors import IssueKind
from registry.domain.messages import MessageChange

_PARTITION: Final = matching(
    r"[A-Za-z0-9_.-]{1,64}", "is not 1 to 64 letters, digits, dots, _ or -"
)
_TWICE: Final = Fault("is the same as that of an item before", IssueKind.INVALID_INPUT)


class MessageUpdatePatchSchema(Members):
    """A change of one message."""

    message_id = Identifier(data_key="messageId", required=True)
    is_visible = Truth(data_key="isVisible")
    partition = Text(validate=_PARTITION)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def changes_something(self, _: Any, data: Any, **__: Any) -> None:
        """At least one of the two is there, be it right or wrong."""
        if isinstance(data, dict) and not {"isVisible", "partition"} & data.keys():
            raise ValidationError("has neither isVisible nor partition")

    @post_load
    def to_change(self, data: dict[str, Any], **_: Any) -> Any:
        """A `MessageChange`."""
        return MessageChange(**data)


class MessagesPatchSchema(Members):
    """Messages to change, each named once (contract 6.7)."""

    items = Items(Nested(MessageUpdatePatchSchema), required=True, least=1, most=100)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def names_each_message_once(self, _: Any, data: dict[str, Any], **__: Any) -> None:
        """Else it would be unclear what is to become of it."""
        faults = {at: {"messageId": [_TWICE]} for at in _find_doubles(data.get("items"))}
        if faults:
            raise ValidationError({"items": faults})

    @post_load
    def to_changes(self, data: dict[str, Any], **_: Any) -> Any:
        """`MessageChange`s, in the order given."""
        return tuple(data["items"])


class MessageActionPatchSchema(Members):
    """The one thing that can be done to an action: there is no way back (contract 6.11)."""

    is_executed = Truth(
        data_key="isExecuted", required=True, validate=validate.Equal(True, error="is not true")
    )


class UpdatedMessageSchema(Shown):
    """A message as it stands after the change."""

    message_id = fields.UUID(data_key="messageId", required=True)
    is_visible = fields.Boolean(data_key="isVisible", required=True)
    partition = fields.String()


def _find_doubles(items: Any) -> Iterator[int]:
    """Positions of items, right or wrong, that name a message which one before them names."""
    message_ids = set()
    for at, item in enumerate(items if isinstance(items, list) else ()):
        message_id = item.get("messageId") if isinstance(item, dict) else None
        if isinstance(message_id, str):
            if message_id in message_ids:
                yield at
            message_ids.add(message_id)
