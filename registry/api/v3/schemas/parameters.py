"""Paths and queries of version 3."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema, fields, post_load, validate

from registry.api.requests.models import MessageQueryModel, PageModel
from registry.api.requests.parameter_fields import (
    INT32,
    Day,
    Flag,
    LenientParameter,
    MessageId,
    Whole,
)
from registry.api.requests.validators import ENTERPRISE, NAME, SHORT, between, matching, one_of
from registry.domain.languages import LANGUAGES

# Printable, so that it can match: the texts searched hold no control characters either.
_TEXT: Final = matching(
    r"[^\x00-\x1f\x7f-\x9f]{0,200}", "is not up to 200 characters without control characters"
)
_MOST_PARTITIONS: Final = validate.Length(max=100, error="is given more than 100 times")


def _partitions() -> fields.List[str]:
    return fields.List(
        fields.String(validate=SHORT), data_key="partition", validate=_MOST_PARTITIONS
    )


class PathSchema(Schema):
    """The path parameters of all resources; one of an impossible shape is not there (6.6)."""

    message_id = MessageId(data_key="messageId")
    attachment_id = LenientParameter(SHORT, data_key="attachmentId")
    message_type_id = LenientParameter(NAME, data_key="messageTypeId")
    application_id = LenientParameter(NAME, data_key="senderApplicationId")
    organization_id = LenientParameter(ENTERPRISE, data_key="senderOrganizationId")
    message_template_id = LenientParameter(NAME, data_key="messageTemplateId")
    image_id = LenientParameter(SHORT, data_key="imageId")


# How the contract names what we call otherwise.
PATH_NAMES: Final = {name: field.data_key or name for name, field in PathSchema().fields.items()}


class PageSchema(PageModel):
    """`page` and `pageSize` of every list."""

    page = Whole(data_key="page", validate=between(1, INT32))
    page_size = Whole(data_key="pageSize", validate=between(1, 100))


class PartitionsSchema(Schema):
    """`partition`, up to a hundred times."""

    partitions = _partitions()

    @post_load
    def to_partitions(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a set of partitions."""
        return frozenset(data.get("partitions", ()))


class MessageQuerySchema(MessageQueryModel, PageSchema):
    """The filters of a listing (contract 1.3, 6.4, 6.5)."""

    # Those of version 2.1 that have another name now (contract 6.32).
    aliases: ClassVar[Mapping[str, str]] = {
        "readStatus": "isRead",
        "visible": "isVisible",
        "registeredMail": "isRegisteredMail",
    }

    received_before = Day(data_key="receivedBefore")
    received_after = Day(data_key="receivedAfter")
    expired_before = Day(data_key="expiredBefore")
    expired_after = Day(data_key="expiredAfter")
    is_read = Flag(data_key="isRead")
    is_visible = Flag(data_key="isVisible")
    is_registered = Flag(data_key="isRegisteredMail")
    is_action_required = Flag(data_key="isActionRequired")
    partitions = _partitions()
    message_type_id = fields.String(data_key="messageTypeId", validate=NAME)
    sender_organization_id = fields.String(data_key="senderOrganizationId", validate=ENTERPRISE)
    sender_application_id = fields.String(data_key="senderApplicationId", validate=NAME)
    text = fields.String(data_key="q", validate=_TEXT)
    language = fields.String(data_key="qlang", validate=one_of(*LANGUAGES))
