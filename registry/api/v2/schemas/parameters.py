"""Paths and queries of version 2.1; a value that cannot be is looked for and not found."""

from marshmallow import EXCLUDE, Schema, fields

from registry.api.requests.models import MessageQueryModel, PageModel
from registry.api.requests.parameter_fields import (
    INT32,
    Day,
    Flag,
    LenientParameter,
    MessageId,
    Whole,
)
from registry.api.requests.validators import ENTERPRISE, NAME, SHORT, between, one_of
from registry.domain.languages import LANGUAGES


class PathSchema(Schema):
    """The path parameters of all resources."""

    message_id = MessageId(data_key="messageId")
    attachment_id = LenientParameter(SHORT, data_key="attachmentId")
    message_type_id = LenientParameter(NAME, data_key="messageTypeId")
    application_id = LenientParameter(NAME, data_key="senderApplicationId")
    organization_id = LenientParameter(ENTERPRISE, data_key="senderOrganizationId")
    image_id = LenientParameter(SHORT, data_key="imageId")

    class Meta:
        """Parameters it does not know are left alone."""

        unknown = EXCLUDE


class PageSchema(PageModel):
    """`page` and `pageSize` of every list."""

    page = Whole(data_key="page", validate=between(1, INT32))
    page_size = Whole(data_key="pageSize", validate=between(1, 100))

    class Meta:
        """Parameters it does not know are left alone."""

        unknown = EXCLUDE


class MessageQuerySchema(MessageQueryModel, PageSchema):
    """The filters of a listing (contract 1.3)."""

    received_before = Day(data_key="receivedBefore")
    received_after = Day(data_key="receivedAfter")
    expired_before = Day(data_key="expiredBefore")
    expired_after = Day(data_key="expiredAfter")
    is_read = Flag(data_key="readStatus")
    is_visible = Flag(data_key="visible")
    is_registered = Flag(data_key="registeredMail")
    message_type_id = LenientParameter(NAME, data_key="messageTypeId")
    sender_organization_id = LenientParameter(ENTERPRISE, data_key="senderOrganizationId")
    sender_application_id = LenientParameter(NAME, data_key="senderApplicationId")
    text = fields.String(data_key="q")
    language = fields.String(data_key="qlang", validate=one_of(*LANGUAGES))

    class Meta:
        """Parameters it does not know are left alone."""

        unknown = EXCLUDE
