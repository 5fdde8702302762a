"""What version 3 reads from paths and queries."""

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from registry.api.fields import INT32, Day, Flag, Identifier, Whole, between, matching, one_of
from registry.domain.languages import LANGUAGES, fold
from registry.domain.queries import MessageQuery, Page, Search, start_of

_NAME: Final = matching(r"[A-Za-z0-9_.-]{1,100}", "is not 1 to 100 letters, digits, dots, _ or -")
_SHORT: Final = matching(r"[A-Za-z0-9_.-]{1,64}", "is not 1 to 64 letters, digits, dots, _ or -")
_ENTERPRISE: Final = matching(r"[01][0-9]{9}", "is not ten digits, the first 0 or 1")
# Printable, so that it can match: the texts searched hold no control characters either.
_TEXT: Final = matching(
    r"[^\x00-\x1f\x7f-\x9f]{1,200}", "is not 1 to 200 characters without control characters"
)
_MOST_PARTITIONS: Final = validate.Length(max=100, error="is given more than 100 times")


def _partitions() -> fields.List[str]:
    return fields.List(
        fields.String(validate=_SHORT), data_key="partition", validate=_MOST_PARTITIONS
    )


class PathSchema(Schema):
    """The path parameters of all resources."""

    message_id = Identifier(data_key="messageId")
    attachment_id = fields.String(data_key="attachmentId", validate=_SHORT)
    message_type_id = fields.String(data_key="messageTypeId", validate=_NAME)
    application_id = fields.String(data_key="senderApplicationId", validate=_NAME)
    organization_id = fields.String(data_key="senderOrganizationId", validate=_ENTERPRISE)
    message_template_id = fields.String(data_key="messageTemplateId", validate=_NAME)
    image_id = fields.String(data_key="imageId", validate=_SHORT)


# How the contract names what we call otherwise.
PATH_NAMES: Final = {name: field.data_key or name for name, field in PathSchema().fields.items()}


class PageSchema(Schema):
    """`page` and `pageSize` of every list."""

    page = Whole(data_key="page", validate=between(1, INT32))
    page_size = Whole(data_key="pageSize", validate=between(1, 100))

    @post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> Any:
        """A `Page`."""
        return Page(number=data.get("page", 1), size=data.get("page_size", 25))


class PartitionsSchema(Schema):
    """`partition`, up to a hundred times."""

    partitions = _partitions()

    @post_load
    def to_partitions(self, data: dict[str, Any], **_: Any) -> Any:
        """A set of partitions."""
        return frozenset(data.get("partitions", ()))


class MessageQuerySchema(PageSchema):
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
    message_type_id = fields.String(data_key="messageTypeId", validate=_NAME)
    sender_organization_id = fields.String(data_key="senderOrganizationId", validate=_ENTERPRISE)
    sender_application_id = fields.String(data_key="senderApplicationId", validate=_NAME)
    text = fields.String(data_key="q", validate=_TEXT)
    language = fields.String(data_key="qlang", validate=one_of(*LANGUAGES))

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def needs_language_to_search(self, _: Any, given: dict[str, Any], **__: Any) -> None:
        """`qlang` is required whenever `q` is there, be `q` right or wrong."""
        if "q" in given and "qlang" not in given:
            raise ValidationError("is required when q is given", "qlang")

    @post_load
    def to_page(self, data: dict[str, Any], **_: Any) -> Any:
        """A `MessageQuery`; days begin at midnight in Belgium, texts are folded."""
        text, language = data.pop("text", None), data.pop("language", None)
        page = Page(number=data.pop("page", 1), size=data.pop("page_size", 25))
        for name in ("received_before", "received_after", "expired_before", "expired_after"):
            if name in data:
                data[name] = start_of(data[name])
        return MessageQuery(
            **data | {"partitions": frozenset(data.get("partitions", ()))},
            page=page,
            search=Search(text=fold(text), language=language) if text else None,
        )
