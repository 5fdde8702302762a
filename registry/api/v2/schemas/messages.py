"""Messages, documents and counts as version 2.1 shows them."""

from marshmallow import fields

from registry.api.responses.fields import (
    Amount,
    AnswerSchema,
    BooleanOrFalse,
    HasInstant,
    Href,
    InlineObject,
    Instant,
    JsonColumnSchema,
    JsonListing,
    Kilobytes,
    Listing,
    NameWithFallback,
    TextWithFallback,
    TranslatedText,
)
from registry.domain.attachments import DIGEST_METHOD


class DigestSchema(AnswerSchema):
    """SHA-256 of a document, base64url."""

    digest = fields.String(data_key="digestValue", required=True)
    method = fields.Constant(DIGEST_METHOD, data_key="digestMethod", required=True)


class AttachmentSchema(AnswerSchema):
    """A document of a message."""

    attachment_id = fields.String(data_key="attachmentId")
    title = TranslatedText(data_key="attachmentTitle")
    file_name = fields.String(data_key="fileName", required=True)
    is_main = fields.Boolean(data_key="mainContent", required=True)
    media_type = fields.String(data_key="mediaType", required=True)
    size = Kilobytes(required=True)
    digest = InlineObject(DigestSchema)
    is_signed = fields.Boolean(data_key="attachmentSigned")
    content = Href(
        "/ebox/messages/{0.message_id}/attachments/{0.attachment_id}/content",
        data_key="contentHref",
    )


class BusinessDataSchema(JsonColumnSchema):
    """A key with its values, for the reader's software; here it always has a name."""

    key = fields.String(required=True)
    name = NameWithFallback("key", required=True)
    description = TranslatedText()
    values = fields.List(TranslatedText(), required=True)


class PaymentDataSchema(JsonColumnSchema):
    """Payment data; amounts are numbers."""

    payment_data_id = fields.String(data_key="paymentDataId", required=True)
    amount = Amount(required=True)
    vat_amount = Amount(data_key="vatAmount", required=True)
    currency = fields.String(required=True)
    due_date = fields.String(data_key="dueDate", required=True)
    iban = fields.String(required=True)
    bic = fields.String()
    reference = fields.Dict()


class AttentionSchema(JsonColumnSchema):
    """The reader inside the enterprise; the number need not be an SSIN."""

    ssin = TextWithFallback("id", data_key="id")
    label = fields.String(data_key="name")
    type = fields.String()


class MessageSchema(AnswerSchema):
    """A message as lists and details show it."""

    message_id = fields.UUID(data_key="messageId", required=True)
    original_message_id = fields.UUID(data_key="originalMessageId")
    subject = TranslatedText(required=True)
    received_at = Instant(data_key="receiptDate", required=True)
    expires_at = Instant(data_key="expirationDate", required=True)
    is_read = HasInstant("read_at", data_key="readStatus", required=True)
    is_visible = fields.Boolean(data_key="visible")
    is_registered = fields.Boolean(data_key="registeredMail", required=True)
    attention = fields.Nested(AttentionSchema, data_key="forTheAttentionOf")
    message_type_id = fields.String(data_key="messageTypeId", required=True)
    sender = fields.String(data_key="senderOrganizationId", required=True)
    sender_application_id = fields.String(data_key="senderApplicationId")
    attachments = Listing(AttachmentSchema)
    is_body_main = BooleanOrFalse(data_key="bodyMainContent", required=True)
    payment_data = fields.Nested(PaymentDataSchema, data_key="paymentData")
    business_data = JsonListing(BusinessDataSchema, data_key="businessDataList")
    can_be_answered = fields.Boolean(data_key="replyAuthorized", required=True)


class SummarySchema(AnswerSchema):
    """A summary of an e-Box."""

    messages = fields.Integer(data_key="numberOfMessages", required=True)
    unread = fields.Integer(data_key="numberOfUnreadMessages")
    last_received_at = Instant(data_key="lastReceiptDate")
