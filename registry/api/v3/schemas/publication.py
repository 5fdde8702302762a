"""Bodies that version 3 reads: messages to publish, replies, recipients, status."""

from typing import Any, ClassVar, Final

from marshmallow import ValidationError, post_load, pre_load, validates_schema
from marshmallow.fields import Dict, Nested

from registry.api.requests.body_fields import (
    Company,
    DecimalNumber,
    Items,
    Moment,
    Person,
    SmallObject,
    StrictBoolean,
    Text,
    Texts,
)
from registry.api.requests.json_body import Fault, Members
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
from registry.domain.attachments import DIGEST_METHOD
from registry.domain.identifiers import Ebox, EboxKind

MESSAGE_PART: Final = "messageToPublish"  # the part of the body that describes the message


class SenderToPublishSchema(Members):
    """The enterprise that sends; its partition is where replies go."""

    former_names: ClassVar = {"eboxIdValue": "enterpriseNumber"}

    ebox_type = Text(data_key="eboxType", required=True, validate=one_of(EboxKind.ENTERPRISE.value))
    sender = Company(data_key="enterpriseNumber", required=True)
    sender_partition = Text(data_key="partition", validate=SHORT)

    @post_load
    def to_columns(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Make columns of the enterprise and its partition."""
        # The schema lets only one value through.
        del data["ebox_type"]
        return data


class EboxReferenceSchema(Members):
    """An e-Box by its owner's number, check digits not verified; its partition is ignored."""

    kind = Text(data_key="eboxType", required=True, validate=one_of(*EboxKind))
    enterprise = Company(data_key="enterpriseNumber", check_digits=False)
    citizen = Person(data_key="ssin", check_digits=False)
    partition = Text(validate=SHORT)

    @pre_load
    def read_former_number(self, members: Any, **_: Any) -> Any:
        """Give the number of an e-Box the name of its kind, for whoever says `eboxIdValue`."""
        if not isinstance(members, dict) or "eboxIdValue" not in members:
            return members
        is_citizen = members.get("eboxType") == EboxKind.CITIZEN
        name = "ssin" if is_citizen else "enterpriseNumber"
        others = {key: value for key, value in members.items() if key != "eboxIdValue"}
        return {name: members["eboxIdValue"], **others}

    @validates_schema
    def check_number_fits_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Require the enterprise number of an enterprise and the SSIN of a citizen, never both."""
        for kind in EboxKind:
            name = self.fields[kind].data_key or kind
            if (kind in data) != (kind == data["kind"]):
                needs = "does not go with" if kind in data else "is required with"
                raise ValidationError(Fault(f"{needs} eboxType {data['kind']}", secret=True), name)

    @post_load
    def to_ebox(self, data: dict[str, Any], **_: Any) -> Any:
        """Make an `Ebox`."""
        kind = EboxKind(data["kind"])
        return Ebox(kind, data[kind].digits)


class RecipientToPublishSchema(EboxReferenceSchema):
    """The recipient of a message to publish; check digits count if the operator says so."""

    enterprise = Company(data_key="enterpriseNumber")
    citizen = Person(data_key="ssin")


class AttentionToPublishSchema(Members):
    """The reader inside the enterprise."""

    former_names: ClassVar = {"id": "ssin", "name": "label", "type": None}

    ssin = Person()
    label = Text(most="label")

    @post_load
    def to_attention(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Make what the store keeps; raises `ValidationError` when that is nothing."""
        if not data:
            raise ValidationError("is empty")
        return {name: str(value) for name, value in data.items()}


class DigestToPublishSchema(Members):
    """The SHA-256 of a document, as the sender says."""

    value = Text(data_key="digestValue", required=True, most=128)
    method = Text(data_key="digestMethod", required=True, validate=one_of(DIGEST_METHOD))


class AttachmentToPublishSchema(AnnouncedFileModel):
    """A document to publish, and the name of the part that carries it."""

    former_names: ClassVar = {
        "mainContent": "isMainContent",
        "attachmentSigned": "isAttachmentSigned",
        "totalItems": None,
    }

    part = Text(data_key="httpPartName", required=True, most=255)
    is_main = StrictBoolean(data_key="isMainContent", required=True)
    title = Texts(data_key="attachmentTitle", most=LONGEST_TITLE)
    is_signed = StrictBoolean(data_key="isAttachmentSigned")
    digest = Nested(DigestToPublishSchema)


class BusinessDataToPublishSchema(Members):
    """A fact for the reader's software."""

    key = Text(required=True)
    name = Texts()
    description = Texts()
    values = Items(Texts(most="value"), required=True)


class PaymentDataToPublishSchema(PaymentModel):
    """The payment that a message to publish asks for."""

    payment_data_id = Text(data_key="paymentDataId", required=True, validate=SHORT)
    amount = DecimalNumber(required=True)
    vat_amount = DecimalNumber(data_key="vatAmount", required=True)
    currency = Text(required=True, validate=CURRENCY)
    due_date = Moment(data_key="dueDate", required=True)
    iban = Text(required=True, validate=IBAN)
    bic = Text(validate=BIC)
    reference = SmallObject(most_bytes=LARGEST_REFERENCE)


class ActionToPublishSchema(Members):
    """An action that the reader is asked for (contract 6.11)."""

    action_id = Text(data_key="messageActionId", required=True, validate=SHORT)
    action_label = Texts(data_key="label", required=True, most=LONGEST_TITLE)


class MessageToReplySchema(DraftModel):
    """A reply: what it does not say follows from the message it replies to (contract 6.10)."""

    former_names: ClassVar = {
        "replyAuthorized": "isReplyAuthorized",
        "registeredMail": "isRegisteredMail",
        "bodyMainContent": "isBodyMainContent",
        "senderOrganizationId": None,  # the sender says it
        "originalMessageId": None,  # the path says it
        "totalItems": None,
    }

    sender = Nested(SenderToPublishSchema)
    subject = Texts(required=True, most="subject")
    message_type_id = Text(data_key="messageTypeId", validate=NAME)
    application_id = Text(data_key="senderApplicationId", validate=NAME)
    attention = Nested(AttentionToPublishSchema, data_key="forTheAttentionOf")
    expires_at = Moment(data_key="expirationDate")
    is_registered = StrictBoolean(data_key="isRegisteredMail")
    announced_files = Items(
        Nested(AttachmentToPublishSchema), data_key="attachments", most="attachments"
    )
    is_body_main = StrictBoolean(data_key="isBodyMainContent")
    body = Texts(data_key="bodyContent")
    is_reply_authorized = StrictBoolean(data_key="isReplyAuthorized")
    business_data = Items(
        Nested(BusinessDataToPublishSchema),
        data_key="businessDataList",
        most="business_data",
        most_bytes="business_data_size",
    )
    payment_data = Nested(PaymentDataToPublishSchema, data_key="paymentData")
    structured_data = Dict(data_key="structuredData")
    action = Nested(ActionToPublishSchema, data_key="messageAction")
    message_template_id = Text(data_key="messageTemplateId", validate=NAME)

    @post_load
    def to_draft(self, data: dict[str, Any], **more: Any) -> Any:
        """Make a `Draft`; what stands inside sender and action are columns of their own."""
        within = {**data.pop("sender", {}), **data.pop("action", {})}
        return super().to_draft({**data, **within}, **more)


class MessageToPublishSchema(MessageToReplySchema):
    """A message to publish (contract 2.1)."""

    former_names: ClassVar = {
        name: today
        for name, today in MessageToReplySchema.former_names.items()
        if name != "originalMessageId"
    }

    original_message_id = Identifier(data_key="originalMessageId")
    sender = Nested(SenderToPublishSchema, required=True)
    recipient = Nested(RecipientToPublishSchema, required=True)
    message_type_id = Text(data_key="messageTypeId", required=True, validate=NAME)
    application_id = Text(data_key="senderApplicationId", required=True, validate=NAME)


class RecipientsSchema(Members):
    """More e-Boxes for a message; one that is no valid company must not stop the others."""

    former_names: ClassVar = {"messageId": None, "totalItems": None}

    recipients = Items(Nested(EboxReferenceSchema), required=True, least=1, most="recipients")

    @post_load
    def to_eboxes(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a tuple of the e-Boxes, in their order."""
        return tuple(data["recipients"])


class _StatusQuerySchema(Members):
    former_names: ClassVar = {"eboxId": "recipient"}

    message_id = MessageId(data_key="messageId", required=True)
    recipient = Nested(EboxReferenceSchema, required=True)

    @post_load
    def to_pair(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a pair of message id and e-Box."""
        return data["message_id"], data["recipient"]


class StatusSearchSchema(Members):
    """Pairs of message and e-Box to look up (contract 6.34)."""

    former_names: ClassVar = {"totalItems": None}

    items = Items(Nested(_StatusQuerySchema), required=True, least=1, most="statuses")

    @post_load
    def to_pairs(self, data: dict[str, Any], **_: Any) -> Any:
        """Make a tuple of (message id, e-Box) pairs, in their order."""
        return tuple(data["items"])
