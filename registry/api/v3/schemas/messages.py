"""Messages, documents and counts as version 3 shows them."""

from marshmallow import fields

from registry.api.responses.fields import (
    Amount,
    AnswerSchema,
    HasInstant,
    Href,
    InlineObject,
    Instant,
    JsonColumnSchema,
    JsonListing,
    Kilobytes,
    Listing,
    NameWithFallback,
    TranslatedText,
)
from registry.domain.attachments import DIGEST_METHOD
from registry.domain.identifiers import EboxKind


class DigestSchema(AnswerSchema):
    """SHA-256 of a document, base64url."""

    digest = fields.String(data_key="digestValue", required=True)
    method = fields.Constant(DIGEST_METHOD, data_key="digestMethod", required=True)


class AttachmentSchema(AnswerSchema):
    """A document of a message."""

    attachment_id = fields.String(data_key="attachmentId", required=True)
    title = TranslatedText(data_key="attachmentTitle")
    file_name = fields.String(data_key="fileName", required=True)
    is_main = fields.Boolean(data_key="isMainContent", required=True)
    media_type = fields.String(data_key="mediaType", required=True)
    size = Kilobytes(required=True)
    digest = InlineObject(DigestSchema)
    is_signed = fields.Boolean(data_key="isAttachmentSigned", required=True)
    content = Href(
        "/ebox/messages/{0.message_id}/attachments/{0.attachment_id}/content",
        data_key="contentHref",
        required=True,
    )


class BusinessDataSchema(JsonColumnSchema):
    """A key with its values, for the reader's software; it always has a name (contract 6.44)."""

    key = fields.String(required=True)
    name = NameWithFallback("key", required=True)
    description = TranslatedText()
    values = fields.List(TranslatedText(), required=True)


class PaymentDataSchema(JsonColumnSchema):
    """Payment data; amounts are numbers (contract 6.12)."""

    payment_data_id = fields.String(data_key="paymentDataId", required=True)
    amount = Amount(required=True)
    vat_amount = Amount(data_key="vatAmount", required=True)
    currency = fields.String(required=True)
    due_date = fields.String(data_key="dueDate", required=True)
    iban = fields.String(required=True)
    bic = fields.String()
    reference = fields.Dict()


class AttentionSchema(JsonColumnSchema):
    """The reader inside the enterprise."""

    ssin = fields.String()
    label = fields.String()


class SenderSchema(AnswerSchema):
    """The sender of a message, and his partition unless that is GENERAL."""

    ebox_type = fields.Constant(EboxKind.ENTERPRISE.value, data_key="eboxType", required=True)
    sender = fields.String(data_key="enterpriseNumber", required=True)
    sender_partition = fields.String(data_key="partition")


class RecipientSchema(AnswerSchema):
    """The e-Box that holds the message."""

    ebox_type = fields.String(data_key="eboxType", attribute="ebox.kind", required=True)
    enterprise = fields.String(data_key="enterpriseNumber", attribute="ebox.enterprise_number")
    ssin = fields.String(attribute="ebox.ssin")
    partition = fields.String()


class ActionSchema(AnswerSchema):
    """An action that the reader is asked for (contract 6.11)."""

    action_id = fields.String(data_key="messageActionId", required=True)
    action_label = TranslatedText(data_key="label", required=True)
    is_executed = HasInstant("action_executed_at", data_key="isExecuted", required=True)
    action_executed_at = Instant(data_key="executionDate")


class MessageSchema(AnswerSchema):
    """A message as lists and details show it."""

    message_id = fields.UUID(data_key="messageId", required=True)
    original_message_id = fields.UUID(data_key="originalMessageId")
    subject = TranslatedText(required=True)
    received_at = Instant(data_key="receiptDate", required=True)
    expires_at = Instant(data_key="expirationDate", required=True)
    is_read = HasInstant("read_at", data_key="isRead", required=True)
    is_visible = fields.Boolean(data_key="isVisible", required=True)
    is_registered = fields.Boolean(data_key="isRegisteredMail", required=True)
    attention = fields.Nested(AttentionSchema, data_key="forTheAttentionOf")
    message_type_id = fields.String(data_key="messageTypeId", required=True)
    sender = InlineObject(SenderSchema, required=True)
    recipient = InlineObject(RecipientSchema, required=True)
    sender_application_id = fields.String(data_key="senderApplicationId")
    attachments = Listing(AttachmentSchema, required=True)
    is_body_main = fields.Boolean(data_key="isBodyMainContent")
    payment_data = fields.Nested(PaymentDataSchema, data_key="paymentData")
    business_data = JsonListing(BusinessDataSchema, data_key="businessDataList")
    can_be_answered = fields.Boolean(data_key="isReplyAuthorized", required=True)
    action = InlineObject(ActionSchema, unless_none="action_id", data_key="messageAction")
    message_template_id = fields.String(data_key="messageTemplateId")


class StatisticsSchema(AnswerSchema):
    """Counts of an e-Box (contract 6.9)."""

    messages = fields.Integer(data_key="numberOfMessages", required=True)
    unread = fields.Integer(data_key="numberOfUnreadMessages", required=True)
    soon_expiring = fields.Integer(data_key="numberOfSoonExpiringMessages", required=True)
    action_required = fields.Integer(data_key="numberOfActionRequiredMessages", required=True)
    registered_messages = fields.Integer(data_key="numberOfRegisteredMessages", required=True)
    last_received_at = Instant(data_key="lastReceiptDate")
