"""Paths and queries of version 3."""

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from registry.api.requests.models import MessageQueryModel, PageModel
from registry.api.requests.parameter_fields import INT32, Day, Flag, Identifier, Whole
from registry.api.requests.validators import ENTERPRISE, NAME, SHORT, between, matching, one_of
from registry.domain.languages import LANGUAGES

# Printable, so that it can match: the texts searched hold no control characters either.
_TEXT: Final = matching(
    r"[^\x00-\x1f\x7f-\x9f]{1,200}", "is not 1 to 200 characters without control characters"
)
_MOST_PARTITIONS: Final = validate.Length(max=100, error="is given more than 100 times")


def _partitions() -> fields.List[str]:
    return fields.List(
        fields.String(validate=SHORT), data_key="partition", validate=_MOST_PARTITIONS
    )


class PathSchema(Schema):
    """The path parameters of all resources."""

    message_id = Identifier(data_key="messageId")
    attachment_id = fields.String(data_key="attachmentId", validate=SHORT)
    message_type_id = fields.String(data_key="messageTypeId", validate=NAME)
    application_id = fields.String(data_key="senderApplicationId", validate=NAME)
    organization_id = fields.String(data_key="senderOrganizationId", validate=ENTERPRISE)
    message_template_id = fields.String(data_key="messageTemplateId", validate=NAME)
    image_id = fields.String(data_key="imageId", validate=SHORT)


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
