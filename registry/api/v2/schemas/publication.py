"""Bodies that version 2.1 reads: messages to publish, to change, to link and to ask about."""

from typing import Any, ClassVar, Final

from marshmallow import ValidationError, post_load, pre_load, validates_schema
from marshmallow.fields import Field, Nested

from registry.api.requests.body_fields import (
    Company,
    DecimalNumber,
    Items,
    Moment,
    Person,
    SmallObject,
    StrictBoolean,
    Text,
)
from registry.api.requests.json_body import Fault, rules
from registry.api.requests.models import AnnouncedFileModel, DraftModel, PaymentModel
from registry.api.requests.parameter_fields import Identifier, MessageId
from registry.api.requests.validators import (
    BIC,
    CURRENCY,
    IBAN,
    LARGEST_REFERENCE,
    LONGEST_TITLE,
    NAME,
    SHORT,
    one_of,
)
from registry.api.v2.schemas.members import LenientMembers, LenientTexts
from registry.domain.attachments import DIGEST_METHOD
from registry.domain.identifiers import Ebox, EboxKind, Malformed, Ssin
from registry.domain.messages import MessageChange

MESSAGE_PART: Final = "messageToPublish"  # the part of the body that describes the message

_MISSING: Final = Field.default_error_messages["required"]
_OWNER: Final = {EboxKind.ENTERPRISE: Company(), EboxKind.CITIZEN: Person()}


class EboxReferenceSchema(LenientMembers):
    """An e-Box by the number of its owner; the number may be any text, under any of its names."""

    former_names: ClassVar = {"enterpriseNumber": "eboxIdValue", "ssin": "eboxIdValue"}

    kind = Text(data_key="eboxType", required=True, validate=one_of(*EboxKind))
    number = Text(data_key="eboxIdValue", required=True)

    @post_load
    def to_ebox(self, data: dict[str, Any], **_: Any) -> Any:
        """Make an `Ebox`."""
        return Ebox(EboxKind(data["kind"]), data["number"])


class RecipientToPublishSchema(EboxReferenceSchema):
    """The recipient of a message to publish, whose number has to be valid."""

    @post_load
    def to_ebox(self, data: dict[str, Any], **_: Any) -> Any:
        """Make an `Ebox`; check digits are looked at if the operator says so."""
        kind = EboxKind(data["kind"])
        try:
            return Ebox(kind, _OWNER[kind].deserialize(data["number"]).digits)
        except ValidationError as error:
            # Found with both members known, but a fault of this one.
            name = self.fields["number"].data_key or ""
            raise ValidationError({name: error.messages}) from None


class AttentionToPublishSchema(LenientMembers):
    """The reader inside the enterprise; `type` says in the sender's words what the number is."""

    number = Text(data_key="id", most="label")
    label = Text(data_key="name", most="label")
    kind = Text(data_key="type", most="label")

    @post_load
    def to_attention(self, data: dict[str, Any], **_: Any) -> Any:
        """Make what the store keeps: an SSIN, or else a text that is shown to people as well."""
        number, label = data.get("number"), data.get("label")
        try:
            ssin = number and str(Ssin.parse(number, check_digits=rules().check_digits))
            columns = {"ssin": ssin, "label": label}
        except Malformed:
            columns = {"id": number, "label": label or number}
        named = {name: text for name, text in columns.items() if text}
        return {**named, "type": data["kind"]} if named and data.get("kind") else named or None


class DigestToPublishSchema(LenientMembers):
    """The SHA-256 of a document, as the sender says."""

    value = Text(data_key="digestValue", required=True, most=128)
    method = Text(data_key="digestMethod", required=True, validate=one_of(DIGEST_METHOD))


class AttachmentToPublishSchema(LenientMembers, AnnouncedFileModel):
    """A document to publish, and the name of the part that carries it."""

    part = Text(data_key="httpPartName", required=True, most=255)
    is_main = StrictBoolean(data_key="mainContent", required=True)
    title = LenientTexts(data_key="attachmentTitle", most=LONGEST_TITLE)
    is_signed = StrictBoolean(data_key="attachmentSigned")
    digest = Nested(DigestToPublishSchema)


class BusinessDataToPublishSchema(LenientMembers):
    """A fact for the reader's software."""

    key = Text(required=True)
    name = LenientTexts()
    description = LenientTexts()
    values = Items(LenientTexts(most="value"), required=True)


class PaymentDataToPublishSchema(LenientMembers, PaymentModel):
    """The payment that a message to publish asks for."""

    payment_data_id = Text(data_key="paymentDataId", required=True, validate=SHORT)
    amount = DecimalNumber(required=True)
    vat_amount = DecimalNumber(data_key="vatAmount", required=True)
    currency = Text(required=True, validate=CURRENCY)
    due_date = Moment(data_key="dueDate", required=True)
    iban = Text(required=True, validate=IBAN)
    bic = Text(validate=BIC)
    reference = SmallObject(most_bytes=LARGEST_REFERENCE)


class MessageToPublishSchema(LenientMembers, DraftModel):
    """A message to publish (contract 2.1); one that replies names what it replies to."""

    recipient = Nested(RecipientToPublishSchema, required=True)
    attention = Nested(AttentionToPublishSchema, data_key="forTheAttentionOf")
    original_message_id = Identifier(data_key="originalMessageId")
    subject = LenientTexts(required=True, most="subject")
    message_type_id = Text(data_key="messageTypeId", validate=NAME)
    expires_at = Moment(data_key="expirationDate")
    sender = Company(data_key="senderOrganizationId")
    application_id = Text(data_key="senderApplicationId", validate=NAME)
    is_registered = StrictBoolean(data_key="registeredMail")
    announced_files = Items(
        Nested(AttachmentToPublishSchema), data_key="attachments", most="attachments"
    )
    is_body_main = StrictBoolean(data_key="bodyMainContent", required=True)
    body = LenientTexts(data_key="bodyContent")
    business_data = Items(
        Nested(BusinessDataToPublishSchema),
        data_key="businessDataList",
        most="business_data",
        most_bytes="business_data_size",
    )
    payment_data = Nested(PaymentDataToPublishSchema, data_key="paymentData")
    is_reply_authorized = StrictBoolean(data_key="replyAuthorized", required=True)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_origin(self, _: Any, data: dict[str, Any], **__: Any) -> None:
        """Require type and application of all but replies, which need no application (6.40)."""
        needed = () if "originalMessageId" in data else ("messageTypeId", "senderApplicationId")
        missing = {name: [_MISSING] for name in needed if name not in data}
        if missing:
            raise ValidationError(missing)


class _MessageToUpdateSchema(LenientMembers):
    message_id = MessageId(data_key="messageId", required=True)
    is_visible = StrictBoolean(data_key="visible", required=True)

    @post_load
    def to_change(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a `MessageChange`."""
        return MessageChange(**data)


class MessagesToUpdateSchema(LenientMembers):
    """Messages to show or hide; how many there are is not looked at."""

    items = Items(Nested(_MessageToUpdateSchema))

    @post_load
    def to_changes(self, data: dict[str, Any], **_: Any) -> Any:
        """Make one `MessageChange` for each message: the last that is said of it."""
        return tuple({change.message_id: change for change in data.get("items", ())}.values())


class MessageToLinkSchema(LenientMembers):
    """A message and more e-Boxes for it; one that cannot be must not stop the others."""

    message_id = MessageId(data_key="messageId", required=True)
    recipients = Items(Nested(EboxReferenceSchema), required=True, most="recipients")

    @post_load
    def to_link(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a pair: the message id, and the e-Boxes in their order."""
        return data["message_id"], tuple(data["recipients"])


class StatusRequestSchema(LenientMembers):
    """A message in an e-Box, one of an array (contract 1.3)."""

    message_id = MessageId(data_key="messageId", required=True)
    recipient = Nested(EboxReferenceSchema, data_key="eboxId", required=True)

    @pre_load(pass_collection=True)
    def check_count(self, items: Any, **_: Any) -> Any:
        """Refuse too many before looking into any: a million items may have a million faults."""
        most = rules().statuses
        if len(items) > most:
            raise ValidationError(Fault(f"has more than {most} items"))
        return items

    @post_load
    def to_pair(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a pair of message id and e-Box."""
        return data["message_id"], data["recipient"]
